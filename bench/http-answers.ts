import type { Socket } from 'node:net';

/** Reads just enough of HTTP: a status line and a Content-Length. */
export class HttpAnswers {
  #text = '';
  #wait: PromiseWithResolvers<number> | null = null;

  constructor(socket: Socket) {
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#text += text;
      this.#settle();
    });
    socket.on('error', (error) => this.#wait?.reject(error));
    socket.on('close', () => this.#wait?.reject(new Error('posting: the server closed the connection')));
  }

  next(): Promise<number> {
    this.#wait = Promise.withResolvers();
    return this.#wait.promise;
  }

  #settle(): void {
    const end = this.#text.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = /\r\ncontent-length: (\d+)/i.exec(this.#text.slice(0, end))?.[1];
    const whole = end + 4 + Number(length ?? 0);
    if (this.#text.length < whole) return;
    const status = Number(this.#text.slice(9, 12));
    this.#text = this.#text.slice(whole);
    this.#wait?.resolve(status);
  }
}
