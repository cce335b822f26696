import { askDialog } from '../../components/dialog.js';
import { selectField, textField } from '../../components/field.js';
import type { PageContext } from '../../page.js';
import { texts } from './texts.js';

/** What captures can be begun with, as `GET /api/v2/bbb` tells it. */
export interface Means {
  readonly possible: boolean;
  readonly missing: readonly { readonly what: 'browser' | 'encoder' | 'server' | 'secret'; readonly detail: string }[];
  readonly profiles: readonly string[];
  readonly targets: readonly string[];
  readonly maxCaptures: number;
}

/** Asks which meeting is to be captured. @returns whether it begins */
export async function startDialog({ api, i18n, toast }: PageContext, means: Means): Promise<boolean> {
  const words = i18n.words(texts);
  const { profiles, targets, missing } = means;
  const needsLink = missing.some(({ what }) => what === 'server');
  const meetingId = textField({
    label: words('meeting'),
    name: 'meetingId',
    hint: words('meetingHint'),
    required: true,
    maxLength: 256,
  });
  const target = textField({
    label: words('target'),
    name: 'target',
    placeholder: 'live/show',
    hint: targets.length === 0 ? words('targetHint') : words('targetMore', { targets: targets.join(', ') }),
    required: true,
    maxLength: 2000,
  });
  const profile = selectField({
    label: words('profile'),
    name: 'profile',
    options: profiles.map((name) => ({ value: name, label: name })),
  });
  const name = textField({ label: words('name'), name: 'name', hint: words('nameHint'), maxLength: 200 });
  const password = textField({
    label: words('password'),
    name: 'password',
    type: 'password',
    autocomplete: 'off',
    hint: words('passwordHint'),
    maxLength: 200,
  });
  const joinUrl = textField({
    label: words('joinUrl'),
    name: 'joinUrl',
    type: 'password',
    hint: words(needsLink ? 'joinUrlNeeded' : 'joinUrlHint'),
    required: needsLink,
    maxLength: 8192,
  });
  const done = await askDialog({
    i18n,
    title: words('start'),
    body: [],
    action: words('startAction'),
    fields: { meetingId, target, profile, name, password, joinUrl },
    act: async () => {
      const optional = { name, password, joinUrl };
      const given = Object.entries(optional).map(([key, { input }]) => [key, input.value.trim()] as const);
      await api.post('/bbb/captures', {
        meetingId: meetingId.input.value.trim(),
        target: target.input.value.trim(),
        profile: profile.input.value,
        ...Object.fromEntries(given.filter(([, value]) => value !== '')),
      });
    },
  });
  if (done) toast(words('started', { meeting: meetingId.input.value.trim() }), 'good');
  return done;
}
