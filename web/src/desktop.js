/*! Contains noVNC 1.7.0, MPL-2.0, https://github.com/novnc/noVNC */
// One computer's live screen.
import RFB from '@novnc/novnc';
import { call, loginCard, Refused } from './session.js';

const find = id => document.getElementById(id);
const [name, dot, status, stage, screen, overlay] = ['name', 'dot', 'status', 'stage', 'screen', 'overlay'].map(find);
const [viewOnly, reconnect, fullscreen] = ['viewonly', 'reconnect', 'fullscreen'].map(find);
const id = location.pathname.split('/').at(-1);
const shared = new URLSearchParams(location.search).get('token');
const firstDelay = 1000;
const longestDelay = 30000;
const refusedForGood = 4401;
const notRunning = 4404;

let rfb;
let delay = firstDelay;
let timer;
let onlyLooks = false;

function show(state, text, cover = text) {
  dot.dataset.state = state;
  status.textContent = text;
  overlay.hidden = state === 'live';
  if (typeof cover === 'string') {
    overlay.textContent = cover;
  } else {
    overlay.replaceChildren(cover);
  }
  reconnect.hidden = state !== 'waiting' && state !== 'refused';
}

function again(why) {
  const seconds = Math.round(delay / 1000);
  show('waiting', `${why} Trying again in ${seconds} s.`);
  clearTimeout(timer);
  timer = setTimeout(connect, delay);
  delay = Math.min(delay * 2, longestDelay);
}

/** The password: of the share link, or of the computer, to whoever is logged in and may use it. It is new at every start. */
async function password() {
  if (shared) {
    return shared;
  }
  const computer = await call('GET', `/api/computers/${id}`);
  name.textContent = computer.name;
  document.title = `${computer.name} - Carrel`;
  if (computer.status !== 'running') {
    throw new Refused(409, { error: computer.status_reason ?? `This computer is ${computer.status}.` });
  }
  onlyLooks = !computer.permissions.canWrite;
  if (onlyLooks) {
    viewOnly.checked = true;
    viewOnly.disabled = true;
    return null; // The server lets a viewer in by the session, and takes no input.
  }
  return (await call('GET', `/api/computers/${id}/vnc-password`)).password;
}

async function connect() {
  clearTimeout(timer);
  rfb?.disconnect();
  show('waiting', 'Connecting');
  reconnect.hidden = true;
  let secret;
  try {
    secret = await password();
  } catch (refused) {
    if (refused.status === 401) {
      show('refused', 'Log in to see this computer.', loginCard(connect));
      reconnect.hidden = true;
    } else if (refused.status === 404) {
      show('refused', refused.message);
    } else {
      again(refused.message);
    }
    return;
  }

  const address = new URL(`/desktops/${id}/ws/websockify`, location.href);
  address.protocol = address.protocol.replace('http', 'ws');
  if (secret) {
    address.searchParams.set('token', secret);
  }
  const socket = new WebSocket(address, ['binary']);
  socket.binaryType = 'arraybuffer';
  const mine = new RFB(screen, socket, secret ? { credentials: { password: secret } } : {});
  rfb = mine;
  rfb.scaleViewport = true;
  rfb.viewOnly = viewOnly.checked;
  rfb.qualityLevel = 6;
  rfb.compressionLevel = 2;
  rfb.background = '#0c0f14';
  let refusal;
  rfb.addEventListener('connect', () => {
    delay = firstDelay;
    show('live', viewOnly.checked ? 'Live, view only' : 'Live');
    mine.focus();
  });
  rfb.addEventListener('desktopname', event => {
    if (shared) {
      name.textContent = event.detail.name;
    }
  });
  rfb.addEventListener('securityfailure', event => {
    refusal = `The computer refused the password${event.detail.reason ? `: ${event.detail.reason}` : ''}.`;
  });
  socket.addEventListener('close', event => {
    if (mine !== rfb) {
      return;
    }
    if (event.code === refusedForGood) {
      show('refused', shared ? 'This link does not open the computer any more: its password is new at every start.' : 'Access denied.');
    } else if (event.code === notRunning) {
      again(`${event.reason ? capital(event.reason) : 'The computer is not running'}.`);
    } else {
      again(refusal ?? (event.reason ? `${capital(event.reason)}.` : 'The connection was lost.'));
    }
  });
}

function capital(text) {
  return text[0].toUpperCase() + text.slice(1);
}

viewOnly.addEventListener('change', () => {
  if (rfb) {
    rfb.viewOnly = viewOnly.checked;
    if (dot.dataset.state === 'live') {
      status.textContent = viewOnly.checked ? 'Live, view only' : 'Live';
    }
  }
});
reconnect.addEventListener('click', () => {
  delay = firstDelay;
  connect();
});
fullscreen.addEventListener('click', () => document.fullscreenElement ? document.exitFullscreen() : stage.requestFullscreen());
if (!document.fullscreenEnabled) {
  fullscreen.hidden = true;
}
name.textContent = shared ? 'Shared desktop' : id;
await connect();
