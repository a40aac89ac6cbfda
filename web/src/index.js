// The list of computers.
import { call, element, loginCard, passwordCard } from './session.js';

const main = document.getElementById('main');
const summary = document.getElementById('summary');
const logout = document.getElementById('logout');
const refreshEvery = 4000;
const shots = new Map();
let timer;

function shotOf(computer) {
  if (computer.status !== 'running') {
    shots.delete(computer.id);
    return element('span', {}, computer.status_reason ?? `This computer is ${computer.status}.`);
  }
  const image = shots.get(computer.id) ?? element('img', { alt: `Screen of ${computer.name}`, decoding: 'async' });
  shots.set(computer.id, image);
  image.src = `/api/computers/${computer.id}/screenshot?response_format=binary&format=jpeg&quality=70&scale=0.5&passive=true&at=${Date.now()}`;
  return image;
}

function command(computer, name, label, allowed) {
  return element('button', {
    disabled: !allowed || !computer.permissions.canWrite,
    onclick: async event => {
      event.currentTarget.disabled = true;
      try {
        await call('POST', `/api/computers/${computer.id}/${name}?async=true`);
      } catch (refused) {
        summary.textContent = refused.message;
        return;
      }
      await refresh();
    },
  }, label);
}

function card(computer) {
  const running = computer.status === 'running';
  const still = ['stopped', 'error', 'suspended'].includes(computer.status);
  const address = `/desktops/${computer.instance_id}`;
  return element('article', { class: 'card' },
    element('a', { class: 'shot', href: address, 'aria-label': `Open ${computer.name}` }, shotOf(computer)),
    element('div', { class: 'body' },
      element('div', { class: 'title' },
        element('span', { class: 'dot', 'data-state': computer.status, title: computer.status }),
        element('a', { href: address }, computer.name)),
      element('div', { class: 'facts' },
        `${computer.status} · ${computer.cpu} CPU · ${computer.ram} GB · ${computer.disk_size_gb} GB disk · ${computer.resolution.split('x').slice(0, 2).join('×')}`),
      element('div', { class: 'acts' },
        command(computer, 'start', 'Start', still),
        command(computer, 'stop', 'Stop', running),
        command(computer, 'restart', 'Restart', running))));
}

function section(workspace) {
  return element('section', {},
    element('h2', {}, workspace.name, element('span', { class: 'quiet' }, `${workspace.computer_count} ${workspace.computer_count === 1 ? 'computer' : 'computers'}`)),
    workspace.desktops.length > 0
      ? element('div', { class: 'grid' }, ...workspace.desktops.map(card))
      : element('p', { class: 'quiet' }, 'No computers yet.'));
}

async function refresh() {
  clearTimeout(timer);
  try {
    const { workspaces } = await call('GET', '/api/workspaces');
    const computers = workspaces.flatMap(workspace => workspace.desktops);
    summary.textContent = `${computers.filter(computer => computer.status === 'running').length} of ${computers.length} running`;
    logout.hidden = false;
    main.replaceChildren(...workspaces.length > 0
      ? workspaces.map(section)
      : [element('p', { class: 'empty' }, 'No workspaces yet. Create one with ', element('code', {}, 'POST /api/workspaces'), '.')]);
  } catch (refused) {
    if (refused.status === 401) {
      logout.hidden = true;
      summary.textContent = '';
      main.replaceChildren(loginCard(refresh));
      return;
    }
    summary.textContent = refused.message;
  }
  timer = setTimeout(() => document.hidden ? waitUntilSeen() : refresh(), refreshEvery);
}

function waitUntilSeen() {
  document.addEventListener('visibilitychange', refresh, { once: true });
}

logout.addEventListener('click', async () => {
  await call('POST', '/logout');
  await refresh();
});

// The token stands behind the #, which a browser sends to nobody; once read it need not stand in the address either.
const link = new URLSearchParams(location.hash.slice(1)).get('password');
if (link) {
  history.replaceState(null, '', location.pathname);
  main.replaceChildren(passwordCard(link, refresh));
} else {
  await refresh();
}
