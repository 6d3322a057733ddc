// The server lets only plugins below org.elasticsearch.xpack look at requests before their handlers.
package org.elasticsearch.xpack.testes;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.elasticsearch.ElasticsearchSecurityException;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.settings.Setting;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.ingest.AbstractProcessor;
import org.elasticsearch.ingest.ConfigurationUtils;
import org.elasticsearch.ingest.IngestDocument;
import org.elasticsearch.ingest.Processor;
import org.elasticsearch.plugins.IngestPlugin;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.plugins.interceptor.RestServerActionPlugin;
import org.elasticsearch.rest.RestHandler;
import org.elasticsearch.rest.RestInterceptor;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;

/**
 * What the class path lacks of a distribution (GET /, the ingest processors set and fail), a check of credentials, and a way to make
 * all threads of a pool busy. How the server is told of processors and handlers differs by its version: TestPlugin.
 */
abstract class AnyTestPlugin extends Plugin implements IngestPlugin, RestServerActionPlugin {
    /** The Authorization header that every request must carry to the letter. Empty: none is asked for. */
    private static final Setting<String> AUTHORIZATION = Setting.simpleString("testes.authorization", Setting.Property.NodeScope);

    private final String authorization;
    private final HoldPool hold = new HoldPool();
    private ClusterService cluster;

    AnyTestPlugin(Settings settings) {
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

    static Processor set(String tag, String description, Map<String, Object> options) {
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
    }

    static Processor fail(String tag, String description, Map<String, Object> options) {
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

    final List<RestHandler> handlers() {
        return List.of(new Banner(cluster), hold);
    }

    @Override
    public void close() {
        hold.release();
    }
}
