/** `node answer-posts.ts PORT`: reads each body and answers 200 at once. */
import { createServer } from 'node:http';

const port = Number(process.argv[2]);

createServer((request, response) => {
  request.resume().on('end', () => response.end());
}).listen(port, '127.0.0.1', () => {
  console.log('listening');
});
