// Clicks inside a piece of HTML become events of its component: open a child's timeline, answer a signal, print a list.
element.addEventListener('click', (event) => {
  const target = event.target.closest('[data-act]');
  if (!target) return;
  const data = { child: target.dataset.child || '', at: target.dataset.at || '', signal: target.dataset.signal || '',
    kind: target.dataset.kind || '', answer: target.dataset.answer || '' };
  if (target.dataset.act === 'open') trigger('open_child', data);
  // Not disabled after the first click: that would take the focus away.
  if (target.dataset.act === 'answer' && !target.ariaDisabled) { target.ariaDisabled = 'true'; trigger('answer_signal', data); }
  if (target.dataset.act === 'play') { target.disabled = true; trigger('play', { speed: target.dataset.speed }); }
  if (target.dataset.act === 'stop') { target.disabled = true; trigger('stop', {}); }
  if (target.dataset.act === 'print') printed(target.dataset.title || document.title);
});
element.addEventListener('keydown', (event) => {
  const target = event.target.closest('g[data-act], rect[data-act]');
  if (target && (event.key === 'Enter' || event.key === ' ')) {
    event.preventDefault();
    target.dispatchEvent(new MouseEvent('click', { bubbles: true }));
  }
});
// What is shown is written anew every few seconds: who has the focus keeps it, and who answered a signal finds Undo there.
let focused = null;
element.addEventListener('focusin', (event) => { focused = event.target.closest('[data-act]'); });
element.addEventListener('focusout', (event) => {
  setTimeout(() => { if (event.target.isConnected && !element.contains(document.activeElement)) focused = null; });
});
new MutationObserver(() => {
  if (!focused || focused.isConnected || document.activeElement !== document.body) return;
  const same = (...names) => [...element.querySelectorAll('[data-act]')]
    .find((other) => ['act', ...names].every((name) => other.dataset[name] === focused.dataset[name]));
  (same('child', 'at', 'signal', 'answer') || same('signal', 'child'))?.focus({ preventScroll: true });
}).observe(element, { childList: true, subtree: true });
const printed = (title) => {
  const sheet = document.createElement('iframe');
  sheet.style.cssText = 'position:fixed;width:0;height:0;border:0';
  document.body.append(sheet);
  const page = sheet.contentDocument;
  page.title = title;
  const style = page.createElement('style');
  // Fifteen children on a page: each row is as high as a QR code that a tablet reads from the table.
  style.textContent = '@page{size:A4;margin:10mm}body{margin:0;font:14px system-ui,sans-serif;color:#000}' +
    'h3,p{margin:0 0 2mm}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:0 2mm;border-bottom:1px solid #999}' +
    'th{height:7mm}td{height:16.2mm}tr{break-inside:avoid}tbody tr:nth-child(15n+16){break-before:page}' +
    'td.qr{width:15.6mm;padding:0}.qr svg{display:block;width:15.6mm;height:15.6mm}' +
    '.on-screen{display:none}.code{font:700 20px monospace;white-space:nowrap}.line{width:40%}button{display:none}';
  page.head.append(style);
  page.body.append(page.importNode(element.querySelector('[data-print]'), true));
  sheet.contentWindow.print();
  setTimeout(() => sheet.remove(), 60000);
};
