/** Colours by verdict; every one stands beside its word or its sign. */
const STYLE = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#59636e;--paper:#fff;--line:#d8dee4;--tint:#f6f8fa;
--pass:#1a7f37;--fail:#c62828;--warn:#9a6700;--open:#8250df;--none:#8c959f}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9da7b1;--paper:#0d1117;--line:#30363d;--tint:#161b22;
--pass:#4ac26b;--fail:#ff7b72;--warn:#d4a72c;--open:#b083f0;--none:#6e7681}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:70rem;padding:1rem;font:1rem/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.15rem;margin:2rem 0 .5rem}h3{font-size:1rem;margin:1.5rem 0 .25rem}
code,pre{font:.85em/1.4 ui-monospace,monospace}
pre{overflow-x:auto;white-space:pre;background:var(--tint);border:1px solid var(--line);border-radius:.3rem;padding:.5rem;margin:.25rem 0}
pre.said{white-space:pre-wrap;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:.5rem 0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.PASS{color:var(--pass)}.FAIL{color:var(--fail)}.WARN{color:var(--warn)}.INCONCLUSIVE{color:var(--open)}
.NOT_TESTED,.NOT_APPLICABLE{color:var(--none)}
.label{margin:.4rem 0 0;color:var(--soft);font-size:.9rem}
.verdict{font-weight:600;white-space:nowrap}
.find{position:sticky;top:0;background:var(--paper);padding:.5rem 0;display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;border-bottom:1px solid var(--line)}
.find input[type=search]{flex:1 1 14rem;min-width:0;font:inherit;padding:.4rem .6rem;border:1px solid var(--line);border-radius:.3rem;background:var(--tint);color:inherit}
.find label{white-space:nowrap;color:var(--soft);font-size:.9rem}
.rule{display:grid;grid-template-columns:8.5rem 7.5rem 1fr;gap:0 .75rem;padding:.4rem 0;border-top:1px solid var(--line)}
.rule p{margin:0}.rule .checks{grid-column:3;line-height:1.1;overflow-wrap:anywhere;letter-spacing:.1em;font-family:ui-monospace,monospace;font-size:.8rem}
.rule .why{grid-column:3;color:var(--soft);font-size:.9rem}
details{border-top:1px solid var(--line);padding:.4rem 0}summary{cursor:pointer;overflow-wrap:anywhere}
[hidden]{display:none!important}
@media(max-width:40rem){.rule{grid-template-columns:1fr auto}.rule p,.rule .checks,.rule .why{grid-column:1/-1}}
@media print{.find{display:none}body{max-width:none;font-size:9pt}.rule,details{break-inside:avoid}pre{white-space:pre-wrap;overflow-wrap:anywhere}details:not([open])>:not(summary){display:block}details::details-content{content-visibility:visible;display:block}}
`;

// What does not fit the words and boxes is hidden; without scripts everything is there.
const SCRIPT = `
const find=document.querySelector('.find');
const items=[...document.querySelectorAll('[data-verdict]')].map((node)=>[node,[node.textContent,...[...node.querySelectorAll('[title]')].map((each)=>each.title)].join(' ').toLowerCase()]);
const groups=[...document.querySelectorAll('section')];
const look=()=>{
  const words=find.querySelector('input[type=search]').value.toLowerCase().split(/\\s+/).filter(Boolean);
  const wanted=new Set([...find.querySelectorAll('input:checked')].map((box)=>box.value));
  for(const [node,text] of items)node.hidden=!wanted.has(node.dataset.verdict)||!words.every((word)=>text.includes(word));
  for(const group of groups)group.hidden=group.querySelector('[data-verdict]')!==null&&group.querySelector('[data-verdict]:not([hidden])')===null;
};
find.hidden=false;find.addEventListener('input',look);
addEventListener('beforeprint',()=>document.querySelectorAll('details').forEach((each)=>{each.open=true}));
`;

const ENTITIES: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as HTML shows it, in elements and in quoted attributes. */
export const escaped = (text: string): string => text.replace(/[<>&"']/g, (found) => ENTITIES[found] ?? found);

/** One page that needs nothing else, and fetches nothing. */
export function page(title: string, body: readonly string[]): string {
  // Nothing that a server said may run, even if it should get past the escaping.
  const policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    `<title>${escaped(title)}</title><style>${STYLE}</style></head><body>`,
    ...body,
    `<script>${SCRIPT}</script></body></html>`,
    '',
  ].join('\n');
}
