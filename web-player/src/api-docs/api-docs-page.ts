import { element, required, setText } from '../dom.js';
import type { Document } from './open-api.js';
import { type Call, type CallResult, operationView } from './operation-view.js';

const DOCUMENT_URL = '/api/v2/openapi.json';

/** Kept for as long as the page is open, and nowhere else. */
let authorization: string | undefined;

const field = (id: string): HTMLInputElement => required(id) as HTMLInputElement;

required('login').addEventListener('submit', (event) => {
  event.preventDefault();
  void identify();
});
void show();

async function show(): Promise<void> {
  const response = await fetch(DOCUMENT_URL);
  const { info, servers, tags, paths } = (await response.json()) as Document;
  setText(required('version'), info.version);
  const base = servers[0]?.url ?? '';
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, base, operation })),
  );
  required('operations').replaceChildren(
    ...tags.map(({ name }) => {
      const own = all.filter(({ operation }) => operation.tags.includes(name));
      return element('section', {}, element('h2', {}, name), ...own.map((about) => operationView(about, call)));
    }),
  );
}

async function identify(): Promise<void> {
  const token = field('token').value;
  const pair = `${field('user').value}:${field('password').value}`;
  const bytes = new TextEncoder().encode(pair);
  authorization = token === '' ? `Basic ${btoa(String.fromCodePoint(...bytes))}` : `Bearer ${token}`;
  const { status, text } = await call({ method: 'get', url: '/api/v2/auth/me', body: undefined });
  if (status.startsWith('200')) {
    const { name, scopes } = JSON.parse(text) as { name: string; scopes: string[] };
    setText(required('who'), `You are ${name} and may use: ${scopes.join(', ')}.`);
  } else {
    authorization = undefined;
    setText(required('who'), 'That was not taken.');
  }
}

async function call({ method, url, body }: Call): Promise<CallResult> {
  const headers: Record<string, string> = { 'X-Requested-With': 'fetch' };
  if (authorization !== undefined) headers.Authorization = authorization;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  try {
    const response = await fetch(url, { method: method.toUpperCase(), headers, body: body ?? null });
    const text = await response.text();
    return { status: `${response.status} ${response.statusText}`, text: indented(text) };
  } catch {
    return { status: 'The server does not answer.', text: '' };
  }
}

function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
