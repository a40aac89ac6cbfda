// node terminal.mjs URL: a round trip through a terminal, as the `ws` package speaks. Prints one line of JSON.
import WebSocket from 'ws';

const socket = new WebSocket(process.argv[2]);
const seen = { shown: '', errors: [], pongs: 0, exit: null, close: null };
const send = (message) => socket.send(JSON.stringify(message));

socket.on('open', () => {
  send({ type: 'ping' });
  send({ type: 'resize', cols: 111, rows: 22 });
  send({ type: 'input', data: "stty size; echo he''llo 😀; exit 5\r" });
});
socket.on('message', (data, isBinary) => {
  if (isBinary) throw new Error('a binary frame on a terminal');
  const message = JSON.parse(data.toString('utf8'));
  if (message.type === 'output') seen.shown += message.data;
  else if (message.type === 'pong') seen.pongs++;
  else if (message.type === 'exit') seen.exit = message.code;
  else seen.errors.push(message);
});
socket.on('error', (error) => seen.errors.push(String(error)));
socket.on('close', (code) => {
  seen.close = code;
  console.log(JSON.stringify(seen));
});
setTimeout(() => socket.terminate(), 20_000).unref();
