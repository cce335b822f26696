import { element } from '../dom.js';
import {
  exampleOf,
  jsonSchemaOf,
  type Operation,
  type Parameter,
  requestUrl,
  type Schema,
  typeText,
} from './open-api.js';

/** One call of the API, as the page makes it. */
export interface Call {
  readonly method: string;
  readonly url: string;
  readonly body: string | undefined;
}

export interface CallResult {
  readonly status: string;
  readonly text: string;
}

/** An operation: what it takes and gives, and a way to try it. */
export function operationView(
  about: { method: string; path: string; base: string; operation: Operation },
  call: (call: Call) => Promise<CallResult>,
): HTMLElement {
  const { method, path, operation } = about;
  const head = element(
    'summary',
    {},
    element('span', { class: `method ${method}` }, method.toUpperCase()),
    element('code', {}, path),
    element('span', { class: 'about' }, operation.summary),
  );
  const view = element('details', { class: 'operation' }, head);
  // Forms of all operations would be a thousand elements that nobody looks at.
  view.addEventListener('toggle', () => view.append(body(about, call)), { once: true });
  return view;
}

function body(
  { method, path, base, operation }: { method: string; path: string; base: string; operation: Operation },
  call: (call: Call) => Promise<CallResult>,
): HTMLElement {
  const inputs = new Map(operation.parameters.map((parameter) => [parameter.name, parameterInput(parameter)]));
  const bodySchema = jsonSchemaOf(operation.requestBody);
  const text = bodySchema && element('textarea', { rows: '6', spellcheck: 'false', 'aria-label': 'Body' });
  if (text !== undefined && bodySchema !== undefined) text.value = JSON.stringify(exampleOf(bodySchema), null, 2);
  const result = element('pre', { class: 'result', hidden: '', tabindex: '0' });
  const form = element('form', {}, ...operation.parameters.map((parameter) => parameterRow(parameter, inputs)));
  if (text !== undefined) form.append(element('h4', {}, 'Body'), text);
  form.append(element('button', { type: 'submit' }, 'Send'), result);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const values = new Map([...inputs].map(([name, input]) => [name, input.value]));
    const url = requestUrl(base, path, operation, values);
    void call({ method, url, body: text?.value }).then(({ status, text: answer }) => {
      result.hidden = false;
      result.textContent = `${status}\n\n${answer}`;
    });
  });
  const success = Object.entries(operation.responses).find(([status]) => status.startsWith('2'));
  const answer = jsonSchemaOf(success?.[1]);
  const parts: HTMLElement[] = [element('p', {}, operation.description.replaceAll('`', '')), form];
  if (bodySchema !== undefined) parts.push(element('h4', {}, 'Body'), schemaTable(bodySchema));
  if (answer !== undefined) parts.push(element('h4', {}, `Answer (${success?.[0]})`), schemaTable(answer));
  return element('div', { class: 'body' }, ...parts);
}

function parameterInput({ required, schema }: Parameter): HTMLInputElement | HTMLSelectElement {
  if (schema.enum === undefined) {
    const input = element('input', { spellcheck: 'false', autocomplete: 'off' });
    input.required = required;
    if (schema.default !== undefined) input.placeholder = String(schema.default);
    return input;
  }
  const select = element('select', {});
  if (!required) select.append(element('option', { value: '' }, ''));
  for (const value of schema.enum) select.append(element('option', { value: String(value) }, String(value)));
  return select;
}

function parameterRow(parameter: Parameter, inputs: ReadonlyMap<string, HTMLElement>): HTMLElement {
  const { name, description = '', required } = parameter;
  const label = element('label', {}, element('code', {}, required ? `${name} *` : name));
  const input = inputs.get(name);
  if (input !== undefined) label.append(input);
  label.append(element('span', { class: 'hint' }, description));
  return label;
}

/** Fields of a schema, those of inner objects behind their name. */
function schemaTable(schema: Schema): HTMLElement {
  const alternatives = schema.oneOf ?? schema.anyOf;
  if (alternatives !== undefined && schema.properties === undefined) {
    return element('div', {}, ...alternatives.map(schemaTable));
  }
  const rows = fieldsOf(schema, '').map(({ name, type, description }) =>
    element(
      'tr',
      {},
      element('td', {}, element('code', {}, name)),
      element('td', {}, type),
      element('td', {}, description),
    ),
  );
  if (rows.length === 0) return element('p', {}, `${typeText(schema)}. ${schema.description ?? ''}`);
  return element('table', {}, element('tbody', {}, ...rows));
}

interface Field {
  readonly name: string;
  readonly type: string;
  readonly description: string;
}

function fieldsOf(schema: Schema, prefix: string): Field[] {
  const inner = schema.items ?? schema;
  const required = new Set(inner.required);
  return Object.entries(inner.properties ?? {}).flatMap(([name, field]) => {
    const own = {
      name: `${prefix}${name}${required.has(name) ? '' : '?'}`,
      type: typeText(field),
      description: field.description ?? '',
    };
    const isArray = field.items !== undefined;
    return [own, ...fieldsOf(field, `${prefix}${name}${isArray ? '[]' : ''}.`)];
  });
}
