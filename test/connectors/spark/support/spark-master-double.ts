import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface CreationRequest {
  readonly appResource: string;
  readonly mainClass: string;
  readonly appArgs: readonly string[];
  readonly environmentVariables: Readonly<Record<string, string>>;
  readonly sparkProperties: Readonly<Record<string, string>>;
}

interface Driver {
  readonly id: string;
  readonly request: CreationRequest;
  state: string;
  message?: string;
}

/** How the next creation is answered. `lose`: the driver is there, the answer is not. */
export type Creation =
  'answer' | 'lose' | 'text' | 'no_id' | 'refuse' | 'stand_by' | 'hang' | 'error' | 'forbid' | 'redirect';

/** The REST server and the web UI of a master, and of its one worker, with the replies of Spark 4.1.1. */
export class SparkMasterDouble {
  readonly drivers: Driver[] = [];
  applications: { readonly id: string; readonly name: string }[] = [];
  readonly requests: {
    readonly method: string;
    readonly path: string;
    readonly headers: IncomingMessage['headers'];
  }[] = [];
  creations: Creation[] = [];
  stdout = '';
  stderr = '';
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<SparkMasterDouble> {
    const server = createServer();
    const double = new SparkMasterDouble(server);
    server.on('request', (request, response) => void double.#handle(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return double;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    this.requests.push({ method, path: url, headers });
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const json = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body, null, 1));
    };
    const [, action = '', id = ''] = /^\/v1\/submissions\/(\w+)\/?([^?]*)/.exec(url) ?? [];
    if (action === 'create')
      this.#create(JSON.parse(Buffer.concat(chunks).toString()) as CreationRequest, response, json);
    else if (action === 'status') json(200, this.#status(id));
    else if (action === 'kill') json(200, this.#kill(id));
    else if (url === '/json/') json(200, this.#state());
    else if (url === '/app/kill/') {
      const id = new URLSearchParams(Buffer.concat(chunks).toString()).get('id');
      this.applications = this.applications.filter((one) => one.id !== id);
      response.writeHead(302, { location: '/' }).end();
    } else if (url.startsWith('/log/')) {
      const text = url.includes('logType=stdout') ? this.stdout : this.stderr;
      response.end(`==== Bytes 0-${text.length} of ${text.length} of driver/stderr ====\n${text}`);
    } else response.writeHead(404).end('<html>Not Found</html>');
  }

  #create(request: CreationRequest, response: ServerResponse, json: (status: number, body: object) => void): void {
    const creation = this.creations.shift() ?? 'answer';
    const said = { action: 'CreateSubmissionResponse', serverSparkVersion: '4.1.1' };
    if (creation === 'refuse')
      json(400, {
        action: 'ErrorResponse',
        message: 'Malformed request: no mainClass\n\tat org.apache.spark.X',
        serverSparkVersion: '4.1.1',
      });
    else if (creation === 'stand_by')
      json(200, {
        ...said,
        success: false,
        message: 'Current state is not alive: STANDBY. Can only accept driver submissions in ALIVE state.',
      });
    else if (creation === 'error') response.writeHead(500).end('boom');
    else if (creation === 'forbid') response.writeHead(403).end('<html>Authorization header is missing.</html>');
    else if (creation === 'redirect') response.writeHead(302, { location: 'http://elsewhere/' }).end();
    else {
      const id = `driver-20261128000000-${String(this.drivers.length).padStart(4, '0')}`;
      this.drivers.push({ id, request, state: 'RUNNING' });
      if (creation === 'lose') response.destroy();
      else if (creation === 'text') response.end('<html>hello</html>');
      else if (creation === 'no_id') json(200, { ...said, success: true });
      else if (creation === 'answer')
        json(200, { ...said, success: true, submissionId: id, message: `Driver successfully submitted as ${id}` });
    }
  }

  #status(id: string): object {
    const driver = this.drivers.find((one) => one.id === id);
    const said = { action: 'SubmissionStatusResponse', serverSparkVersion: '4.1.1', submissionId: id };
    if (driver === undefined) return { ...said, success: false };
    const { state, message } = driver;
    return {
      ...said,
      success: true,
      driverState: state,
      workerId: 'worker-1',
      ...(message === undefined ? {} : { message }),
    };
  }

  #kill(id: string): object {
    const driver = this.drivers.find((one) => one.id === id);
    const said = { action: 'KillSubmissionResponse', serverSparkVersion: '4.1.1', submissionId: id };
    const runs = driver !== undefined && ['RUNNING', 'SUBMITTED'].includes(driver.state);
    if (runs) driver.state = 'KILLED';
    return runs
      ? { ...said, success: true, message: `Kill request for ${id} submitted` }
      : { ...said, success: false, message: `Driver ${id} has already finished or does not exist` };
  }

  #state(): object {
    return {
      status: 'ALIVE',
      workers: [{ id: 'worker-1', host: '127.0.0.1', port: 1, webuiaddress: this.url, state: 'ALIVE' }],
      activeapps: this.applications.map((one) => ({ ...one, state: 'RUNNING' })),
      completedapps: [],
      activedrivers: [],
      completeddrivers: [],
    };
  }
}
