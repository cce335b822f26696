import { confirm } from '../../components/confirm.js';
import type { CaptureView } from '../../feed/views.js';
import type { PageContext } from '../../page.js';
import { texts } from './texts.js';

/** Asks, and ends a capture. */
export async function stopCapture(context: PageContext, { id, meetingId, target }: CaptureView): Promise<void> {
  const { api, i18n, toast } = context;
  const words = i18n.words(texts);
  const done = await confirm(context, {
    title: words('stopTitle', { meeting: meetingId }),
    text: words('stopText', { target }),
    action: words('stopShort'),
    act: () => api.delete(`/bbb/captures/${id}`),
  });
  if (done) toast(words('stopped', { meeting: meetingId }), 'good');
}
