package org.elasticsearch.xpack.testes;

import java.util.Collection;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.ingest.Processor;
import org.elasticsearch.rest.RestHandler;

/** As Elasticsearch 9 asks a plugin. */
public final class TestPlugin extends AnyTestPlugin {
    public TestPlugin(Settings settings) {
        super(settings);
    }

    @Override
    public Map<String, Processor.Factory> getProcessors(Processor.Parameters parameters) {
        return Map.of(
            "set",
            (registry, tag, description, options, project) -> set(tag, description, options),
            "fail",
            (registry, tag, description, options, project) -> fail(tag, description, options)
        );
    }

    @Override
    public Collection<RestHandler> getRestHandlers(
        RestHandlersServices services,
        Supplier<DiscoveryNodes> nodes,
        Predicate<NodeFeature> supports
    ) {
        return handlers();
    }
}
