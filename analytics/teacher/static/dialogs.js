// A <dialog> in a piece of HTML opens over the whole page as soon as it is there. One with [data-asks] holds what cannot
// be shown again: whoever closes it, or leaves the page, is asked first. What is [data-full] takes the whole screen. When
// a dialog is closed the piece of HTML becomes empty.
const current = () => element.querySelector('dialog');
const leave = () => trigger('left', {});
const ask = (asking) => {
  current().querySelector('.leaving').hidden = !asking;
  current().querySelector('.staying').hidden = asking;
  current().querySelector(asking ? '.leaving button' : '.staying button').focus();
};
new MutationObserver(() => {
  const dialog = element.querySelector('dialog:not([open])');
  if (!dialog) return;
  dialog.showModal();
  // A browser may refuse the whole screen: then the dialog fills the window.
  dialog.querySelector('[data-full]')?.requestFullscreen?.().catch(() => {});
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault();
    if ('asks' in dialog.dataset) ask(true);
    else leave();
  });
  // A browser closes a dialog for whoever insists on Escape; what is there no longer has been left already.
  dialog.addEventListener('close', () => dialog.isConnected && ('asks' in dialog.dataset ? dialog.showModal() : leave()));
}).observe(element, { childList: true, subtree: true });
element.addEventListener('fullscreenchange', () => {
  if (!document.fullscreenElement) leave();
});
element.addEventListener('click', (event) => {
  const act = event.target.closest('[data-dialog]')?.dataset.dialog;
  if (act === 'leave') leave();
  if (act === 'ask') ask(true);
  if (act === 'stay') ask(false);
  if (act === 'start') {
    const codes = [...current().querySelectorAll('[data-code]')].map((cell) => cell.dataset.code);
    event.target.disabled = true;
    trigger('start_lesson', { class_name: current().dataset.class, codes });
  }
});
window.addEventListener('beforeunload', (event) => {
  if (element.querySelector('dialog[data-asks]')) event.preventDefault();
});
