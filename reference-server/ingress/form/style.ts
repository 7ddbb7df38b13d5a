/** The looks of the pages, in the page itself: there is nothing to load. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f6f8f9; --card: #ffffff; --ink: #16242b; --faint: #55666f; --line: #cfd9de;
  --accent: #0b6e8c; --on-accent: #ffffff; --good: #2b6b3f; --bad: #b3261e; --field: #fbfcfd;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #10181c; --card: #182329; --ink: #e6eef1; --faint: #9fb2bb; --line: #33434b;
    --accent: #4fb3d1; --on-accent: #07242e; --good: #85cf9c; --bad: #ff8a80; --field: #121c21;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
header { border-bottom: 1px solid var(--line); padding: .85rem 1.25rem; }
header a { color: inherit; font-weight: 650; letter-spacing: .02em; text-decoration: none; }
main { margin: 0 auto; max-width: 42rem; padding: 1.75rem 1.25rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .4rem; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 0 0 .75rem; }
p { margin: 0 0 1rem; }
a { color: var(--accent); text-underline-offset: .15em; }
.faint { color: var(--faint); }
.card {
  background: var(--card); border: 1px solid var(--line); border-radius: .65rem;
  margin: 1.25rem 0; padding: 1.15rem 1.25rem 1.25rem;
}
.good { border-left: .3rem solid var(--good); }
.bad { border-left: .3rem solid var(--bad); }
label { display: block; font-weight: 600; margin-bottom: .4rem; }
textarea, input[type=text], input[type=file] {
  background: var(--field); border: 1px solid var(--line); border-radius: .4rem; color: inherit;
  display: block; font: inherit; padding: .6rem .7rem; width: 100%;
}
textarea { min-height: 7rem; resize: vertical; }
button {
  background: var(--accent); border: 0; border-radius: .4rem; color: var(--on-accent); cursor: pointer;
  font: inherit; font-weight: 600; margin-top: .9rem; min-height: 2.75rem; padding: .55rem 1.2rem;
}
button:hover { filter: brightness(1.08); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.card > :last-child { margin-bottom: 0; }
ul.plain { list-style: none; margin: 0; padding: 0; }
ul.plain > li { border-top: 1px solid var(--line); padding: .7rem 0; }
ul.plain > li:first-child { border-top: 0; padding-top: 0; }
ul.plain > li:last-child { padding-bottom: 0; }
ul.rooms a { display: block; font-weight: 600; overflow-wrap: anywhere; }
.mark { font-weight: 650; }
.good .mark, .mark.good { color: var(--good); }
.mark.bad { color: var(--bad); }
.mark.good, .mark.bad { border: 0; }
.small { font-size: .875rem; }
code { font: .85em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
pre { background: var(--field); border: 1px solid var(--line); border-radius: .4rem; margin: .75rem 0 0; padding: .75rem; white-space: pre-wrap; }
summary { cursor: pointer; font-weight: 600; }
.row { align-items: end; display: flex; flex-wrap: wrap; gap: .75rem; }
.row > div { flex: 1 1 14rem; }
@media (max-width: 30rem) {
  main { padding-top: 1.25rem; }
  button { width: 100%; }
}
`;
