// NodeConstruction and NodeServiceProvider are visible in this package only.
package org.elasticsearch.node;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.plugins.ClassPathPlugins;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.plugins.PluginsLoader;
import org.elasticsearch.plugins.PluginsService;
import org.elasticsearch.transport.netty4.Netty4Plugin;
import org.elasticsearch.xpack.testes.TestPlugin;

/** One Elasticsearch node from the class path instead of a distribution. Parameters: {@code setting=value}; {@code path.home} is required. */
public final class TestNode extends Node {
    private TestNode(Environment environment, List<Class<? extends Plugin>> plugins) {
        super(
            NodeConstruction.prepareConstruction(
                environment,
                PluginsLoader.createPluginsLoader(Set.of(), Set.of(), Map.of(), false),
                new NodeServiceProvider() {
                    @Override
                    PluginsService newPluginService(Environment prepared, PluginsLoader loader) {
                        return new ClassPathPlugins(environment.settings(), prepared, loader, plugins);
                    }
                },
                true
            )
        );
    }

    public static void main(String[] parameters) throws Exception {
        LogConfigurator.configureESLogging();
        Settings settings = settingsOf(parameters);
        Path config = Path.of(settings.get("path.home")).resolve("config");
        Files.createDirectories(config);
        TestNode node = new TestNode(new Environment(settings, config), List.of(Netty4Plugin.class, TestPlugin.class));
        CountDownLatch closed = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                node.close();
            } catch (Exception problem) {
                problem.printStackTrace();
            } finally {
                closed.countDown();
            }
        }));
        node.start();
        closed.await();
    }

    private static Settings settingsOf(String[] parameters) {
        Settings.Builder settings = Settings.builder()
            .put("cluster.name", "sluice-test")
            .put("node.name", "node-1")
            .put("discovery.type", "single-node")
            .put("network.host", "127.0.0.1")
            // How full the disk of a developer's machine is says nothing about a test.
            .put("cluster.routing.allocation.disk.threshold_enabled", false);
        for (String parameter : parameters) {
            int equals = parameter.indexOf('=');
            settings.put(parameter.substring(0, equals), parameter.substring(equals + 1));
        }
        return settings.build();
    }
}
