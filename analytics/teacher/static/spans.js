// The span that the timeline shows is what a correction is about: zooming (brush, slider) hands it to the form below.
const hook = () => {
  const graph = document.querySelector('#timeline .js-plotly-plot');
  if (!graph || !graph.on || graph.dataset.hooked) return;
  graph.dataset.hooked = 'yes';
  let waiting = null;
  graph.on('plotly_relayout', (change) => {
    if (!Object.keys(change).some((key) => key.startsWith('xaxis'))) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const range = graph.layout.xaxis.range.map((edge) => typeof edge === 'number' ? new Date(edge).toISOString() : String(edge));
      trigger('shown_span', { first: range[0], last: range[1] });
    }, 400);
  });
};
setInterval(hook, 700);
