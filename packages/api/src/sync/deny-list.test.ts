import { describe, expect, it } from 'vitest';
import { DenyListError, readDenyList } from './deny-list.js';

const NOBODY = { viewers: [], sessions: [], ips: [], tokens: [], seconds: undefined };

describe('readDenyList', () => {
  it.each([
    ['nothing', ''],
    ['blanks', ' \r\n'],
    ['an empty object', '{}'],
    ['no ids', '{"deny":{}}'],
    ["WMSPanel's JSON, empty", '{"Solution":"x","DenyList":{"ID":[]}}'],
    ["WMSPanel's JSON, as PHP writes it", '{"DenyList":[]}'],
    ["WMSPanel's XML, empty", '<ApiSyncResponse><Solution></Solution><DenyList></DenyList></ApiSyncResponse>'],
    ["WMSPanel's XML without a list", '<ApiSyncResponse><Solution/></ApiSyncResponse>'],
    ["WMSPanel's XML with nothing in it", '<ApiSyncResponse/>'],
    ['an id without content', '<ApiSyncResponse><DenyList><ID></ID><ID/></DenyList></ApiSyncResponse>'],
  ])('denies nobody: %s', (_, answer) => {
    expect(readDenyList(answer)).toEqual(NOBODY);
  });

  it('reads our JSON', () => {
    const deny = { ids: ['anna', 7], sessions: ['s1'], ips: ['192.0.2.0/24'], tokens: ['t'] };
    expect(readDenyList(JSON.stringify({ deny, ttlSeconds: 60 }))).toEqual({
      viewers: ['anna', '7'],
      sessions: ['s1'],
      ips: ['192.0.2.0/24'],
      tokens: ['t'],
      seconds: 60,
    });
  });

  it("reads WMSPanel's JSON, numbers and all", () => {
    expect(readDenyList('{"DenyList":{"ID":[1,"2-web"]}}')).toEqual({ ...NOBODY, viewers: ['1', '2-web'] });
  });

  it("reads WMSPanel's XML, and takes ids as they are written", () => {
    const answer = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
      <ApiSyncResponse><Solution></Solution><DenyList>
        <ID>007</ID><ID>a&amp;b</ID><ID> 1e3 </ID><ID><![CDATA[<x>]]></ID>
      </DenyList></ApiSyncResponse>`;
    expect(readDenyList(answer)).toEqual({ ...NOBODY, viewers: ['007', 'a&b', '1e3', '<x>'] });
    expect(readDenyList('<ApiSyncResponse><DenyList><ID>1</ID></DenyList></ApiSyncResponse>').viewers).toEqual(['1']);
  });

  it.each([
    ['text', 'OK'],
    ['a page of an error', '<html><body>Could not connect: <br></body></html>'],
    ['another document', '<Answer><DenyList><ID>1</ID></DenyList></Answer>'],
    ['XML that is cut off', '<ApiSyncResponse><DenyList><ID>1</ID>'],
    ['JSON that is cut off', '{"deny":{"ids":["a"'],
    ['a list', '[]'],
    ['a number', '0'],
    ['null', 'null'],
    ['ids that are no list', '{"deny":{"ids":"anna"}}'],
    ['ids that are no text', '{"deny":{"ids":[{}]}}'],
    ['no time', '{"ttlSeconds":-1}'],
    ['too many', JSON.stringify({ deny: { ids: Array.from({ length: 10_001 }, (_, id) => id) } })],
    ['too deep', `<ApiSyncResponse>${'<a>'.repeat(1000)}${'</a>'.repeat(1000)}</ApiSyncResponse>`],
    [
      'an entity from a file',
      '<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]><ApiSyncResponse><DenyList><ID>&f;</ID></DenyList></ApiSyncResponse>',
    ],
    [
      'a billion laughs',
      `<!DOCTYPE r [<!ENTITY a "ha">${Array.from({ length: 9 }, (_, n) => `<!ENTITY a${n} "${`&a${n - 1 < 0 ? '' : n - 1};`.repeat(10)}">`).join('')}]><ApiSyncResponse><DenyList><ID>&a8;</ID></DenyList></ApiSyncResponse>`,
    ],
    [
      'a doctype, however it is written',
      '<!doctype ApiSyncResponse SYSTEM "http://example.org/x.dtd"><ApiSyncResponse/>',
    ],
  ])('refuses %s', (_, answer) => {
    expect(() => readDenyList(answer)).toThrow(DenyListError);
  });
});
