// Calls to the server and logging in, for both pages.

export class Refused extends Error {
  constructor(status, body) {
    super(body?.error ?? `The server answered ${status}.`);
    this.status = status;
    this.code = body?.code;
  }
}

export async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    credentials: 'same-origin',
    headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  let answer;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = undefined; // Not from us: a proxy in between, perhaps.
  }
  if (!response.ok) {
    throw new Refused(response.status, answer);
  }
  return answer;
}

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) {
      made.addEventListener(name.slice(2), value);
    } else if (value !== false && value !== undefined && value !== null) {
      made.setAttribute(name, value === true ? '' : value);
    }
  }
  made.append(...children);
  return made;
}

export function loginCard(done) {
  const key = element('input', {
    name: 'key', type: 'password', placeholder: 'sk_live_...', autocomplete: 'current-password', required: true, 'aria-label': 'API key',
  });
  const problem = element('p', { class: 'problem', role: 'alert' });
  const form = element('form', {
    onsubmit: async event => {
      event.preventDefault();
      problem.textContent = '';
      try {
        await call('POST', '/login', { key: key.value });
        done();
      } catch (refused) {
        problem.textContent = refused.message;
      }
    },
  }, key, element('button', { class: 'primary' }, 'Log in'), problem);
  const hint = element('p', {}, 'Use an API key. ', element('code', {}, './carrel key'), ' prints the first one.');
  queueMicrotask(() => key.focus());
  return element('section', { class: 'card login' }, element('h1', {}, 'Log in to Carrel'), hint, form);
}
