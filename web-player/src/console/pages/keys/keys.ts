import { tabs } from '../../components/tabs.js';
import type { Mount } from '../../page.js';
import { apiKeys } from './api-keys.js';
import { streamKeys } from './stream-keys.js';
import { texts } from './texts.js';
import { tokens } from './tokens.js';

/** Stream keys, tokens and API keys. */
export const mount: Mount = (root, context) => {
  const { i18n, may, query, setQuery, setTitle } = context;
  const words = i18n.words(texts);
  setTitle(words('title'));
  root.append(
    tabs({
      label: words('sections'),
      chosen: query.get('kind'),
      onChoose: (kind) => setQuery({ kind }),
      tabs: [
        { name: 'stream', label: words('streamKeys'), content: () => streamKeys(context) },
        { name: 'tokens', label: words('tokens'), content: () => tokens(context) },
        ...(may('admin') ? [{ name: 'api', label: words('apiKeys'), content: () => apiKeys(context) }] : []),
      ],
    }),
  );
  return () => undefined;
};
