// The constructor of LoadedPlugin is visible in this package only.
package org.elasticsearch.plugins;

import java.util.ArrayList;
import java.util.List;
import org.elasticsearch.action.admin.cluster.node.info.PluginsAndModules;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;

/** Plugins from the class path, where the server itself looks for folders of a distribution. */
public final class ClassPathPlugins extends PluginsService {
    private final List<LoadedPlugin> loaded = new ArrayList<>();

    public ClassPathPlugins(Settings settings, Environment environment, PluginsLoader loader, List<Class<? extends Plugin>> plugins) {
        super(settings, environment.configDir(), loader);
        for (Class<? extends Plugin> plugin : plugins) {
            loaded.add(
                new LoadedPlugin(
                    Descriptors.of(plugin),
                    loadPlugin(plugin, settings, environment.configDir()),
                    plugin.getClassLoader()
                )
            );
        }
    }

    @Override
    protected List<LoadedPlugin> plugins() {
        // The constructor above asks before the field is set.
        return loaded == null ? List.of() : loaded;
    }

    @Override
    public PluginsAndModules info() {
        return new PluginsAndModules(List.of(), loaded.stream().map(LoadedPlugin::descriptor).toList());
    }
}
