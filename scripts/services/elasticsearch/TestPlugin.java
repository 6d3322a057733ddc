// The server lets only plugins below org.elasticsearch.xpack look at requests before their handlers.
package org.elasticsearch.xpack.testes;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.elasticsearch.ElasticsearchSecurityException;
import org.elasticsearch.cluster.metadata.IndexNameExpressionResolver;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.io.stream.NamedWriteableRegistry;
import org.elasticsearch.common.settings.ClusterSettings;
import org.elasticsearch.common.settings.IndexScopedSettings;
import org.elasticsearch.common.settings.Setting;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.settings.SettingsFilter;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.ingest.AbstractProcessor;
import org.elasticsearch.ingest.ConfigurationUtils;
import org.elasticsearch.ingest.IngestDocument;
import org.elasticsearch.ingest.Processor;
import org.elasticsearch.plugins.IngestPlugin;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.plugins.interceptor.RestServerActionPlugin;
import org.elasticsearch.rest.RestController;
import org.elasticsearch.rest.RestHandler;
import org.elasticsearch.rest.RestInterceptor;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;

/**
 * What the class path lacks of a distribution (GET /, the ingest processors set and fail), a check of credentials, and a way to make
 * all threads of a pool busy.
 */
public final class TestPlugin extends Plugin implements IngestPlugin, RestServerActionPlugin {
    /** The Authorization header that every request must carry to the letter. Empty: none is asked for. */
    private static final Setting<String> AUTHORIZATION = Setting.simpleString("testes.authorization", Setting.Property.NodeScope);

    private final String authorization;
    private final HoldPool hold = new HoldPool();
    private ClusterService cluster;

    public TestPlugin(Settings settings) {
        authorization = AUTHORIZATION.get(settings);
    }

    @Override
    public List<Setting<?>> getSettings() {
        return List.of(AUTHORIZATION);
    }

    @Override
    public Collection<?> createComponents(PluginServices services) {
        cluster = services.clusterService();
        return List.of();
    }

    @Override
    public Map<String, Processor.Factory> getProcessors(Processor.Parameters parameters) {
        return Map.of("set", (registry, tag, description, options) -> {
            String field = ConfigurationUtils.readStringProperty("set", tag, options, "field");
            Object value = ConfigurationUtils.readObject("set", tag, options, "value");
            return new AbstractProcessor(tag, description) {
                @Override
                public IngestDocument execute(IngestDocument document) {
                    document.setFieldValue(field, value);
                    return document;
                }

                @Override
                public String getType() {
                    return "set";
                }
            };
        }, "fail", (registry, tag, description, options) -> {
            String message = ConfigurationUtils.readStringProperty("fail", tag, options, "message");
            return new AbstractProcessor(tag, description) {
                @Override
                public IngestDocument execute(IngestDocument document) {
                    throw new IllegalArgumentException(message);
                }

                @Override
                public String getType() {
                    return "fail";
                }
            };
        });
    }

    @Override
    public RestInterceptor getRestHandlerInterceptor(ThreadContext context) {
        return (request, channel, handler, listener) -> {
            if (authorization.isEmpty() || authorization.equals(request.header("Authorization"))) {
                listener.onResponse(true);
                return;
            }
            RestStatus status = RestStatus.UNAUTHORIZED;
            RestResponse refusal = new RestResponse(
                channel,
                status,
                new ElasticsearchSecurityException("unable to authenticate", status)
            );
            refusal.addHeader("WWW-Authenticate", "Basic realm=\"security\", charset=\"UTF-8\"");
            channel.sendResponse(refusal);
            listener.onResponse(false);
        };
    }

    @Override
    public Collection<RestHandler> getRestHandlers(
        Settings settings,
        NamedWriteableRegistry writeables,
        RestController controller,
        ClusterSettings clusterSettings,
        IndexScopedSettings indexSettings,
        SettingsFilter filter,
        IndexNameExpressionResolver resolver,
        Supplier<DiscoveryNodes> nodes,
        Predicate<NodeFeature> supports
    ) {
        return List.of(new Banner(cluster), hold);
    }

    @Override
    public void close() {
        hold.release();
    }
}
