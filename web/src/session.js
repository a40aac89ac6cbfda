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
  const byPassword = form('/api/auth/login', done, 'Log in',
    field('email', 'email', 'E-mail address', 'username'), field('password', 'password', 'Password', 'current-password'));
  const byKey = form('/login', done, 'Log in with a key', field('key', 'password', 'API key: sk_live_...', 'off'));
  const hint = element('p', {}, 'Use an API key, ', element('code', {}, './carrel key'), ' prints the first one; or your e-mail address and password.');
  return element('section', { class: 'card login' }, element('h1', {}, 'Log in to Carrel'), hint, byKey, element('hr'), byPassword);
}

/** For who followed a link to set a password. */
export function passwordCard(token, done) {
  const password = field('password', 'password', 'At least 10 characters', 'new-password');
  const byLink = sending('Set the password', done, [password], () => call('POST', '/api/auth/accept', { token, password: password.value }));
  return element('section', { class: 'card login' }, element('h1', {}, 'Choose a password'), byLink);
}

function field(name, type, label, autocomplete) {
  return element('input', { name, type, placeholder: label, autocomplete, required: true, 'aria-label': label });
}

function form(path, done, label, ...fields) {
  return sending(label, done, fields, () => call('POST', path, Object.fromEntries(fields.map(input => [input.name, input.value]))));
}

function sending(label, done, fields, send) {
  const problem = element('p', { class: 'problem', role: 'alert' });
  return element('form', {
    onsubmit: async event => {
      event.preventDefault();
      problem.textContent = '';
      try {
        await send();
        done();
      } catch (refused) {
        problem.textContent = refused.message;
      }
    },
  }, ...fields, element('button', { class: 'primary' }, label), problem);
}
