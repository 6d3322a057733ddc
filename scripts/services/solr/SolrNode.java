import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.concurrent.CountDownLatch;
import javax.servlet.DispatcherType;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.apache.solr.servlet.CoreContainerProvider;
import org.apache.solr.servlet.SolrDispatchFilter;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.eclipse.jetty.http2.server.HTTP2CServerConnectionFactory;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.servlet.FilterHolder;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.servlet.ServletHolder;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * One Solr node from the class path instead of a distribution. Parameters: port, home folder, and for a node of a cloud the address of ZooKeeper. There is one
 * process for each node, so that each can be killed and stopped by itself.
 */
public final class SolrNode {
    public static void main(String[] parameters) throws Exception {
        String port = parameters[0];
        Path home = Path.of(parameters[1]).toAbsolutePath();
        Path logs = home.resolve("logs");
        Files.createDirectories(logs);
        System.setProperty("solr.solr.home", home.toString());
        System.setProperty("solr.install.dir", home.toString());
        System.setProperty("solr.log.dir", logs.toString());
        System.setProperty("jetty.port", port);
        System.setProperty("solr.port.listen", port);
        if (parameters.length > 2) {
            System.setProperty("zkHost", parameters[2]);
            publishSecurity(parameters[2], home.resolve("security.json"));
        }

        Server server = new Server(new QueuedThreadPool(200, 8));
        HttpConfiguration http = new HttpConfiguration();
        http.setRequestHeaderSize(64 * 1024);
        // Nodes speak HTTP/2 in clear text with each other.
        ServerConnector connector = new ServerConnector(
            server, 1, 2, new HttpConnectionFactory(http), new HTTP2CServerConnectionFactory(http)
        );
        connector.setHost("127.0.0.1");
        connector.setPort(Integer.parseInt(port));
        connector.setReuseAddress(true);
        server.addConnector(connector);
        if (System.getProperty("sluice.keyStore") != null) server.addConnector(secured(server));

        ServletContextHandler context = new ServletContextHandler(ServletContextHandler.NO_SESSIONS);
        context.setContextPath("/solr");
        context.setMaxFormContentSize(-1);
        context.addEventListener(new CoreContainerProvider());
        FilterHolder filter = new FilterHolder(SolrDispatchFilter.class);
        context.addFilter(filter, "/*", EnumSet.of(DispatcherType.REQUEST));
        context.addServlet(new ServletHolder(new Nothing()), "/*");
        server.setHandler(context);
        server.setStopAtShutdown(true);
        server.setStopTimeout(10_000);
        server.start();
        // A container that did not start leaves a server that answers 404 to everything.
        ((SolrDispatchFilter) filter.getFilter()).getCores();
        server.join();
    }

    /** The same over TLS: `sluice.securePort`, with the certificate of the PKCS12 store `sluice.keyStore`. */
    private static ServerConnector secured(Server server) {
        HttpConfiguration https = new HttpConfiguration();
        https.setRequestHeaderSize(64 * 1024);
        https.addCustomizer(new SecureRequestCustomizer());
        SslContextFactory.Server certificates = new SslContextFactory.Server();
        certificates.setKeyStorePath(System.getProperty("sluice.keyStore"));
        certificates.setKeyStorePassword("changeit");
        ServerConnector connector = new ServerConnector(
            server, new SslConnectionFactory(certificates, "http/1.1"), new HttpConnectionFactory(https)
        );
        connector.setHost("127.0.0.1");
        connector.setPort(Integer.getInteger("sluice.securePort"));
        return connector;
    }

    /** Nodes of a cloud read who may do what from ZooKeeper. */
    private static void publishSecurity(String zooKeeper, Path file) throws Exception {
        if (!Files.exists(file)) return;
        CountDownLatch connected = new CountDownLatch(1);
        try (ZooKeeper client = new ZooKeeper(zooKeeper, 10_000, event -> {
            if (event.getState() == Watcher.Event.KeeperState.SyncConnected) connected.countDown();
        })) {
            connected.await();
            client.create("/security.json", Files.readAllBytes(file), ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        } catch (KeeperException.NodeExistsException other) {
            // Another node was faster, or a life before.
        }
    }

    private static final class Nothing extends HttpServlet {
        @Override
        protected void service(HttpServletRequest request, HttpServletResponse response) throws java.io.IOException {
            response.sendError(404, "Can not find: " + request.getRequestURI());
        }
    }
}
