import { element, setText } from '../../../dom.js';
import { badge } from '../../components/badge.js';
import { button } from '../../components/button.js';
import { emptyState } from '../../components/empty-state.js';
import { loaded } from '../../components/loaded.js';
import type { Words } from '../../i18n/i18n.js';
import type { Mount } from '../../page.js';
import { texts } from './texts.js';

interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly found: string;
  readonly advice: string | null;
}

interface Report {
  readonly at: string;
  readonly ok: boolean;
  readonly findings: readonly Finding[];
}

type DoctorWords = Words<keyof typeof texts.en>;

const TONES = { ok: 'good', warning: 'warning', failed: 'bad' } as const;

/** The doctor's report: what is wrong first, what is fine folded away. */
export const mount: Mount = (root, context) => {
  const { api, i18n, signal } = context;
  const words = i18n.words(texts);
  context.setTitle(words('title'));
  const summary = element('div', { class: 'doctor-summary', role: 'status' });
  const findings = element('div', { class: 'stack' });
  const show = ({ at, findings: all }: Report) => {
    const of = (status: Finding['status']) => all.filter((finding) => finding.status === status);
    const [failed, warnings, fine] = [of('failed'), of('warning'), of('ok')];
    const badges = [
      ...(failed.length > 0 ? [badge(words('notWell', { n: failed.length }), 'bad')] : []),
      ...(warnings.length > 0 ? [badge(words('look', { n: warnings.length }), 'warning')] : []),
      ...(failed.length + warnings.length === 0 ? [badge(words('well'), 'good')] : []),
    ];
    const time = element('span', { class: 'hint' }, words('checked', { time: i18n.format.time(at) }));
    summary.replaceChildren(...badges.map((each) => each.root), time);
    if (all.length === 0) {
      findings.replaceChildren(emptyState(words('none'), words('noneText')));
      return;
    }
    const folded = element(
      'details',
      { class: 'folded' },
      element('summary', {}, words('fine', { n: fine.length })),
      listOf(fine, words, i18n.language),
    );
    folded.open = failed.length + warnings.length === 0;
    findings.replaceChildren(
      ...(failed.length + warnings.length > 0 ? [listOf([...failed, ...warnings], words, i18n.language)] : []),
      ...(fine.length > 0 ? [folded] : []),
    );
  };
  const report = loaded<Report>(context, {
    ask: () => api.get('/doctor', { signal }),
    show,
    content: [findings],
    waiting: words('checking'),
  });
  const again = button({
    label: words('again'),
    icon: 'health',
    onPress: async () => {
      setText(summary, words('checking'));
      await report.reload();
    },
  });
  const told = i18n.language === 'en' ? words('intro') : `${words('intro')} ${words('language')}`;
  root.append(
    element('div', { class: 'toolbar' }, element('p', { class: 'intro' }, told), again),
    summary,
    report.root,
  );
  return () => undefined;
};

function listOf(findings: readonly Finding[], words: DoctorWords, language: string): HTMLElement {
  const rows = findings.map(({ check, status, found, advice }) => {
    const told = element('div', {}, element('strong', {}, check), element('p', {}, found));
    if (advice !== null) {
      told.append(
        element('p', { class: 'advice' }, element('span', { class: 'for-readers' }, `${words('whatToDo')}: `), advice),
      );
    }
    if (language !== 'en') told.lang = 'en';
    return element('li', {}, badge(words(status), TONES[status]).root, told);
  });
  return element('ul', { class: 'findings' }, ...rows);
}
