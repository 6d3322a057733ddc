package org.elasticsearch.xpack.testes;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.threadpool.ThreadPool;

/** POST /_testes/hold/{pool} makes all threads of a pool busy until DELETE /_testes/hold: the server answers and its work waits. */
final class HoldPool extends BaseRestHandler {
    private CountDownLatch held = new CountDownLatch(0);

    @Override
    public String getName() {
        return "testes_hold";
    }

    @Override
    public List<Route> routes() {
        return List.of(
            new Route(RestRequest.Method.POST, "/_testes/hold/{pool}"),
            new Route(RestRequest.Method.DELETE, "/_testes/hold")
        );
    }

    @Override
    protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
        String pool = request.param("pool");
        return channel -> {
            release();
            if (pool != null) hold(client.threadPool(), pool);
            channel.sendResponse(new RestResponse(RestStatus.OK, pool == null ? "released" : "held " + pool));
        };
    }

    synchronized void release() {
        held.countDown();
    }

    private synchronized void hold(ThreadPool threads, String pool) throws InterruptedException {
        CountDownLatch until = new CountDownLatch(1);
        held = until;
        int count = threads.info(pool).getMax();
        CountDownLatch busy = new CountDownLatch(count);
        for (int index = 0; index < count; index++) {
            threads.executor(pool).execute(() -> {
                busy.countDown();
                try {
                    until.await();
                } catch (InterruptedException closing) {
                    Thread.currentThread().interrupt();
                }
            });
        }
        if (!busy.await(5, TimeUnit.SECONDS)) throw new IllegalStateException("not all threads of " + pool + " became free");
    }
}
