package org.elasticsearch.plugins;

import java.util.List;
import org.elasticsearch.Build;

/** What a plugin of a distribution says in a file beside it, as Elasticsearch 9 wants it. */
final class Descriptors {
    private Descriptors() {}

    static PluginDescriptor of(Class<? extends Plugin> plugin) {
        String name = plugin.getSimpleName();
        return new PluginDescriptor(
            name,
            name,
            "1",
            Build.current().version(),
            "17",
            plugin.getName(),
            null,
            List.of(),
            false,
            false,
            false,
            false,
            PluginDescriptor.DeploymentTarget.ALL
        );
    }
}
