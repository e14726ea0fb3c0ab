/// How a report looks: sober, readable on a screen and on A4. Its hash stands in the page's policy.
enum ReportStyle {
  static let css: StaticString = """

    :root { --ink: #1a1a1a; --soft: #595959; --line: #c9c9c4; --tint: #f5f4f0; --accent: #1f3a5f; }
    * { box-sizing: border-box; }
    html { -webkit-text-size-adjust: 100%; }
    body { margin: 0; background: #fff; color: var(--ink);
      font: 1rem/1.5 Charter, "Bitstream Charter", "Source Serif 4", "Sitka Text", Cambria, Georgia, "Liberation Serif", serif; }
    main { max-width: 46rem; margin: 0 auto; padding: 3.5rem 1.5rem 5rem; }
    h1, h2, h3, th, dt, .label, .kind, .tag, footer { font-family: "Helvetica Neue", Helvetica, "Segoe UI", Roboto, Arial, "Liberation Sans", sans-serif; }
    h1 { font-size: 2rem; line-height: 1.15; letter-spacing: -.015em; margin: .25rem 0 0; font-weight: 650; }
    h2 { font-size: 1.3rem; line-height: 1.25; margin: 3.25rem 0 .75rem; padding-top: .6rem; border-top: 2px solid var(--ink); font-weight: 650; }
    h3 { font-size: 1.1rem; line-height: 1.3; margin: 0; font-weight: 650; }
    h4 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
    p { margin: .6rem 0; }
    a { color: var(--accent); text-underline-offset: .15em; }
    .label { font-size: .8rem; letter-spacing: .09em; text-transform: uppercase; color: var(--soft); margin: 0; }
    .lead { font-size: 1.1rem; margin: 1rem 0 1.75rem; color: #333; }
    code { font: .82em/1.45 "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; overflow-wrap: anywhere; }
    .print code span { display: inline-block; margin-right: .5em; }
    .files td:nth-child(3) { white-space: normal; min-width: 6.5rem; max-width: 10rem; }
    .files code { font-size: .74em; }
    dl { display: grid; grid-template-columns: 10.5rem 1fr; gap: .4rem 1.25rem; margin: 1rem 0; }
    dt { font-size: .82rem; line-height: 1.5rem; color: var(--soft); }
    dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
    .by, .claim { color: var(--soft); font-size: .9em; }
    table { border-collapse: collapse; width: 100%; margin: 1rem 0; font-size: .92rem; }
    th { text-align: left; font-size: .78rem; font-weight: 600; color: var(--soft); vertical-align: bottom; padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--ink); }
    td { vertical-align: top; padding: .5rem .9rem .5rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
    dd, td, .title, .words { contain: paint; }
    th:last-child, td:last-child { padding-right: 0; }
    .n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
    td.nw { white-space: nowrap; }
    .two { display: grid; grid-template-columns: 1fr 1fr; gap: 0 2.25rem; }
    .two ul { padding-left: 1.1rem; margin: .4rem 0; }
    .two li { margin: .45rem 0; }
    .box { background: var(--tint); padding: .9rem 1.15rem; border-left: 3px solid var(--accent); margin: 1.5rem 0; }
    .box p:first-child { margin-top: 0; }
    .box p:last-child { margin-bottom: 0; }
    article { border-top: 1px solid var(--ink); padding: 1.1rem 0 1.25rem; margin: 1.75rem 0 0; }
    h2 + article { border-top: 0; margin-top: 0; padding-top: 0; }
    article header { display: flex; gap: 1rem; align-items: baseline; flex-wrap: wrap; margin-bottom: .3rem; }
    .kind { font-size: .78rem; color: var(--soft); margin-left: auto; }
    .title { font-size: 1.12rem; margin: .1rem 0 0; font-weight: 600; overflow-wrap: anywhere; }
    .words { white-space: pre-wrap; overflow-wrap: anywhere; margin: .35rem 0 1rem; padding: .1rem 0 .1rem 1rem; border-left: 3px solid var(--line); }
    .tag { font-size: .8rem; border: 1px solid var(--line); border-radius: .2rem; padding: .05rem .4rem; margin-right: .4rem; }
    .remark { font-size: .95rem; padding: .5rem .9rem; background: #fbf3dd; border-left: 3px solid #a37a15; }
    .mark { font: .72em/1 "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; background: #ece9e0; border: 1px solid var(--line); border-radius: .15rem; padding: 0 .2em; white-space: nowrap; }
    .foot { font-size: .82rem; color: var(--soft); margin: .9rem 0 0; }
    footer { margin-top: 4rem; padding-top: .75rem; border-top: 1px solid var(--line); font-size: .8rem; color: var(--soft); }
    @media (max-width: 40rem) {
      dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } .two { grid-template-columns: 1fr; }
      .wide { overflow-x: auto; }
    }
    @page { size: A4; margin: 20mm 20mm 22mm; @bottom-right { content: counter(page) " / " counter(pages); font: 9pt sans-serif; color: #595959; } }
    @media print {
      body { font-size: 10.5pt; } main { max-width: none; padding: 0; }
      a { color: inherit; text-decoration: none; }
      h2, h3, h4, .title, .label, article header, thead { break-after: avoid; }
      article dl, .words { break-inside: avoid-page; }
      tr, dl > *, li, .box, .remark { break-inside: avoid; }
      .words { orphans: 3; widows: 3; }
      .box, .remark { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
    }

    """
}
