import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { pathFits } from '../path-pattern.js';
import { faultOfNamingTemplate } from '../recording/naming-template.js';
import type { StreamPath } from '../stream-path.js';
import { type ConfigEntry, configEntries } from './entries.js';
import { type Config, configSchema, type PathSettings } from './schema.js';
import { ConfigSecrets } from './secrets.js';

/** A configuration that can't be used. The message has a line for each fault, with key, value and what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(source: string, problems: readonly string[]) {
    super([`${source} can't be used:`, ...problems.map((problem) => `  ${problem}`)].join('\n'));
    this.problems = problems;
  }
}

type Settings = { -readonly [K in keyof PathSettings]: PathSettings[K] };
type Tree = { [key: string]: unknown };

/** Variables that belong to the command line and not to the configuration. */
const FOREIGN_VARIABLES: ReadonlySet<string> = new Set(['SLUICE_CONFIG']);

/** Where a setting's value comes from; the later ones win. */
export type SettingSource = 'default' | 'file' | 'api' | 'environment';

export interface ConfigSources {
  /** The file's text, YAML. */
  readonly file?: { readonly name: string; readonly text: string } | undefined;
  /** What was changed through the API, by key. */
  readonly changes?: ReadonlyMap<string, unknown> | undefined;
  /** Its `SLUICE_…` variables are read. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

export interface ResolvedConfig {
  readonly config: Config;
  /** Of each key that has not its default. */
  readonly sources: ReadonlyMap<string, SettingSource>;
}

/**
 * Puts a configuration together.
 *
 * @throws {ConfigError} naming each key that is unknown or wrong
 */
export function loadConfig(options: ConfigSources): Config {
  return resolveConfig(options).config;
}

/**
 * Puts a configuration together, and tells where its values come from.
 *
 * @throws {ConfigError} naming each key that is unknown or wrong
 */
export function resolveConfig({ file, changes = new Map(), environment = {} }: ConfigSources): ResolvedConfig {
  const entries = configEntries();
  const tree = file === undefined ? {} : parseYaml(file.name, file.text);
  const sources = new Map<string, SettingSource>();
  for (const { key } of entries) if (hasKey(tree, key.split('.'))) sources.set(key, 'file');
  for (const [key, value] of changes) {
    setKey(tree, key.split('.'), value);
    sources.set(key, 'api');
  }
  const variables = applyEnvironment(tree, environment, entries);
  for (const key of variables.keys()) sources.set(key, 'environment');
  const result = configSchema.safeParse(tree, { reportInput: true });
  if (result.success) {
    const conflicts = conflictsIn(result.data);
    if (conflicts.length > 0) throw new ConfigError(file?.name ?? 'The configuration', conflicts);
    return { config: result.data, sources };
  }
  throw new ConfigError(
    file?.name ?? 'The configuration',
    result.error.issues.flatMap((issue) => explain(issue, entries, variables)),
  );
}

/** A rendition: a version of a stream that the server makes itself, under the stream's path and a name. */
export interface RenditionPath {
  /** The path of the stream that it is made of. */
  readonly source: StreamPath;
  readonly name: string;
}

/** What a path is a rendition of; undefined where it is none. There are no renditions of renditions. */
export function renditionOf(config: Config, path: string): RenditionPath | undefined {
  return found(config, path)?.rendition;
}

/**
 * The settings of one path: those of the patterns that fit, longest last, over the general ones. A rendition has those
 * of its source; it is neither pushed nor recorded, and ends with its source.
 */
export function settingsFor(config: Config, path: string): PathSettings {
  return found(config, path)?.settings ?? ownSettingsFor(config, path);
}

function found(config: Config, path: string): { settings: PathSettings; rendition: RenditionPath } | undefined {
  const at = path.lastIndexOf('/');
  const [source, name] = [path.slice(0, at), path.slice(at + 1)];
  if (!source.includes('/')) return undefined;
  const settings = ownSettingsFor(config, source);
  const { renditions } = settings.transcode;
  if (!Object.hasOwn(renditions, name) || found(config, source) !== undefined) return undefined;
  return {
    rendition: { source: source as StreamPath, name },
    settings: {
      ...settings,
      publish: { ...settings.publish, takeover: 'replace', graceSeconds: 0 },
      push: { urls: [] },
      transcode: { ...settings.transcode, renditions: {} },
      recording: { ...settings.recording, enabled: false },
    },
  };
}

function ownSettingsFor(config: Config, path: string): PathSettings {
  const fitting = Object.entries(config.paths)
    .filter(([pattern]) => pathFits(pattern, path))
    .sort(([a], [b]) => a.length - b.length);
  const { access, publish, gopCache, viewers, hls, dash, push, srt, webrtc } = config;
  const { publishPassphrase, playPassphrase } = srt;
  const passphrases = { publishPassphrase, playPassphrase };
  const { bFrames } = webrtc;
  const { mode, renditions } = config.transcode;
  const settings: Settings = {
    ...{ access, publish, gopCache, viewers, hls, dash, push },
    srt: passphrases,
    webrtc: { bFrames },
    transcode: { mode, renditions },
    recording: recordingSettings(config),
  };
  for (const [, own] of fitting) {
    settings.access = { ...settings.access, ...own.access };
    settings.publish = { ...settings.publish, ...own.publish };
    settings.gopCache = { ...settings.gopCache, ...own.gopCache };
    settings.viewers = { ...settings.viewers, ...own.viewers };
    settings.hls = { ...settings.hls, ...own.hls };
    settings.dash = { ...settings.dash, ...own.dash };
    settings.srt = { ...settings.srt, ...own.srt };
    settings.webrtc = { ...settings.webrtc, ...own.webrtc };
    settings.push = { ...settings.push, ...own.push };
    settings.transcode = { ...settings.transcode, ...own.transcode };
    settings.recording = { ...settings.recording, ...own.recording };
  }
  return settings;
}

function recordingSettings({ recording }: Config): PathSettings['recording'] {
  const { enabled, container, name, segmentSeconds, segmentBytes, flushSeconds, keepSeconds, keepBytes } = recording;
  return { enabled, container, name, segmentSeconds, segmentBytes, flushSeconds, keepSeconds, keepBytes };
}

/** Settings that are right one by one, and not together. */
function conflictsIn(config: Config): string[] {
  const groups = [
    { key: 'hls', hls: config.hls },
    ...Object.keys(config.paths).map((pattern) => ({ key: `paths.${pattern}.hls`, ...settingsFor(config, pattern) })),
  ];
  const wrong = groups.filter(({ hls }) => hls.encryption === 'sample-aes' && hls.container === 'mpegts');
  const encryption = wrong.map(
    ({ key }) =>
      `${key}.encryption: "sample-aes" is not valid with container "mpegts"; allowed: aes-128, or container fmp4 or auto`,
  );
  return [...encryption, ...recordingNames(config)];
}

function recordingNames(config: Config): string[] {
  const names: [string, string | undefined][] = [
    ['recording.name', config.recording.name],
    ...Object.entries(config.paths).map(([pattern, { recording }]): [string, string | undefined] => [
      `paths.${pattern}.recording.name`,
      recording?.name,
    ]),
  ];
  return names.flatMap(([key, name]) => {
    const fault = name === undefined ? undefined : faultOfNamingTemplate(name);
    return fault === undefined ? [] : [`${key}: ${JSON.stringify(name)} is not valid; ${fault}`];
  });
}

function parseYaml(name: string, text: string): Tree {
  const document = parseDocument(text, { uniqueKeys: true });
  if (document.errors.length > 0) {
    throw new ConfigError(
      name,
      document.errors.map((error) => error.message),
    );
  }
  const tree: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) {
    throw new ConfigError(name, ['the file must hold keys and values, as in "rtmp: { port: 1935 }"']);
  }
  return tree as Tree;
}

/** @returns which key came from which variable, to name it in errors */
function applyEnvironment(
  tree: Tree,
  environment: Readonly<Record<string, string | undefined>>,
  entries: readonly ConfigEntry[],
): Map<string, string> {
  const byVariable = new Map(entries.map((entry) => [entry.environment, entry]));
  const used = new Map<string, string>();
  const unknown: string[] = [];
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('SLUICE_') || FOREIGN_VARIABLES.has(variable) || text === undefined) continue;
    const entry = byVariable.get(variable);
    if (entry === undefined) {
      unknown.push(`${variable}: no such setting; \`sluice check-config --print\` lists what there is`);
      continue;
    }
    used.set(entry.key, variable);
    setKey(tree, entry.key.split('.'), fromText(text, entry.type));
  }
  if (unknown.length > 0) throw new ConfigError('The environment', unknown);
  return used;
}

function fromText(text: string, type: ConfigEntry['type']): unknown {
  if (type === 'number' && text.trim() !== '' && Number.isFinite(Number(text))) return Number(text);
  if (type === 'boolean' && text === 'true') return true;
  if (type === 'boolean' && text === 'false') return false;
  if (type === 'list') {
    const items = text.split(',').map((item) => item.trim());
    return items.filter((item) => item !== '');
  }
  return text;
}

function setKey(tree: Tree, [head = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    tree[head] = value;
    return;
  }
  const child = tree[head];
  const branch: Tree = typeof child === 'object' && child !== null ? (child as Tree) : {};
  tree[head] = branch;
  setKey(branch, rest, value);
}

function hasKey(tree: Tree, [head = '', ...rest]: readonly string[]): boolean {
  const child = tree[head];
  if (rest.length === 0 || child === undefined) return child !== undefined;
  return typeof child === 'object' && child !== null && hasKey(child as Tree, rest);
}

function explain(
  issue: z.core.$ZodIssue,
  entries: readonly ConfigEntry[],
  variables: ReadonlyMap<string, string>,
): string[] {
  const key = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const prefix = key === '' ? '' : `${key}.`;
    const known = siblingsOf(prefix, entries);
    const hint = known.length === 0 ? '' : `; allowed here: ${known.join(', ')}`;
    return issue.keys.map((name) => `${prefix}${name}: no such key${hint}`);
  }
  // An item of a list is named by its number, and its list is what there is an entry for.
  const entry = entries.find((candidate) => candidate.key === key || key.startsWith(`${candidate.key}.`));
  const variable = entry && variables.get(entry.key);
  const where = variable === undefined ? key || 'the file' : `${key} (from ${variable})`;
  const saysMore = entry === undefined || entry.type === 'map' || issue.code === 'custom';
  const allowed = saysMore ? issue.message : `allowed: ${entry.allowed}`;
  const value = JSON.stringify(new ConfigSecrets().hidden(issue.path, issue.input)) ?? 'nothing';
  return [`${where}: ${value} is not valid; ${allowed}`];
}

function siblingsOf(prefix: string, entries: readonly ConfigEntry[]): string[] {
  const names = entries
    .filter((entry) => entry.key.startsWith(prefix))
    .map((entry) => entry.key.slice(prefix.length).split('.')[0] ?? '');
  return [...new Set(names)];
}
