// The look of the HTML report. Two palettes, chosen by the reader's system or by the switch at the
// top (plain CSS); paper always gets the light one. Contrast is at least 4.5:1 for text.
#include "report/html_parts.h"

namespace keyturn::report {
namespace {

constexpr std::string_view kLight =
    "color-scheme:light;--page:#f5f6f8;--card:#fff;--ink:#14181d;--soft:#515b67;--line:#dde2e8;"
    "--code:#f0f2f5;--link:#0a58b0;--pass:#17794a;--fail:#c22431;--period:#a84004;"
    "--unknown:#855a00;--unknown-fill:#dfa514;--excepted:#6a3fc0;--skipped:#5d6976;--gone:#8d98a4;"
    "--na:#b4bec9;--na-ink:#56616d;";
constexpr std::string_view kDark =
    "color-scheme:dark;--page:#0e1115;--card:#161a20;--ink:#e9edf1;--soft:#a4afbb;--line:#2a313a;"
    "--code:#1f252d;--link:#79b8ff;--pass:#45c486;--fail:#ff7377;--period:#ff9a57;"
    "--unknown:#e6bb45;--unknown-fill:#e6bb45;--excepted:#b89bff;--skipped:#93a0ad;--gone:#6c7885;"
    "--na:#45505c;--na-ink:#a4afbb;";

constexpr std::string_view kBase = R"css(
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans","Liberation Sans",Arial,sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:break-word}
.wrap{max-width:1240px;margin:0 auto;padding:0 28px}
a{color:var(--link)}
h1,h2,h3,p,dl,dd,ul,ol,figure,table{margin:0}
h1{font-size:17px;font-weight:650;letter-spacing:.005em}
h2{font-size:22px;line-height:1.25;font-weight:680;letter-spacing:-.012em;margin-bottom:6px}
h3{font-size:16px;font-weight:650}
section{padding:36px 0 0}
section>p.lead{color:var(--soft);max-width:72ch;margin-bottom:16px}
code,.mono{font-family:ui-monospace,"SF Mono","Cascadia Mono","Segoe UI Mono","Liberation Mono",Menlo,Consolas,monospace;font-size:.86em}
.soft{color:var(--soft)}
.sr{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip:not(:focus){position:absolute;left:-999px}
:focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:3px}
header{border-bottom:1px solid var(--line);background:var(--card)}
header .wrap{display:flex;align-items:center;gap:16px;min-height:60px;flex-wrap:wrap;padding-top:10px;padding-bottom:10px}
header .brand{display:flex;align-items:center;gap:10px;margin-right:auto}
header svg{width:26px;height:26px;flex:none}
.theme{border:1px solid var(--line);border-radius:8px;padding:2px;margin:0;display:flex;font-size:13px}
.theme label{padding:3px 10px;border-radius:6px;cursor:pointer;color:var(--soft)}
.theme input{position:absolute;opacity:0}
.theme input:checked+label{background:var(--code);color:var(--ink);font-weight:600}
.theme input:focus-visible+label{outline:2px solid var(--link)}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px}
.hero{margin-top:28px;padding:28px 32px;border-left:7px solid var(--tone);display:grid;grid-template-columns:1fr auto;gap:8px 40px;align-items:center}
.hero.v-pass{--tone:var(--pass)}.hero.v-fail{--tone:var(--fail)}.hero.v-unknown{--tone:var(--unknown)}
.hero .answer{font-size:40px;line-height:1.1;font-weight:740;letter-spacing:-.025em;color:var(--tone)}
.hero .sentence{font-size:18px;margin-top:8px;max-width:60ch}
.hero .percent{text-align:right;line-height:1.1}
.hero .percent b{display:block;font-size:46px;font-weight:720;letter-spacing:-.03em}
.hero .percent span{color:var(--soft);font-size:14px}
.scope{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:14px 28px;padding:22px 4px 0}
.scope dt{font-size:12.5px;color:var(--soft)}
.scope dd{font-weight:560;overflow-wrap:anywhere}
.nw{white-space:nowrap}
.charts{display:grid;grid-template-columns:minmax(0,1.05fr) minmax(0,1fr) minmax(0,1.15fr);gap:18px;margin-top:24px}
.charts figure{padding:20px 22px;min-width:0}
.charts figcaption{font-weight:650;margin-bottom:14px}
.donut{display:flex;gap:20px;align-items:center;flex-wrap:wrap}
.donut svg{width:136px;height:136px;flex:none}
.donut .center{font-size:30px;font-weight:720;fill:var(--ink);text-anchor:middle}
.donut .unit{font-size:12px;fill:var(--soft);text-anchor:middle}
.seg{fill:none;stroke-width:17}
.legend{list-style:none;padding:0;font-size:14px;display:grid;gap:3px;flex:1;min-width:138px}
.legend li{display:flex;gap:8px;align-items:baseline}
.legend b{margin-left:auto;font-weight:620}
.legend i{width:10px;height:10px;border-radius:3px;flex:none;background:var(--c)}
.bars{list-style:none;padding:0;display:grid;gap:13px;font-size:14px}
.bars .row{display:flex;justify-content:space-between;gap:12px;margin-bottom:4px}
.bars svg{display:block;width:100%;height:10px;border-radius:5px;background:var(--code)}
.calendar svg{width:100%;height:auto;display:block}
.calendar text{font-size:11px;fill:var(--soft);text-anchor:middle}
.calendar .n{fill:var(--ink);font-weight:620}
.calendar rect{fill:var(--pass)}
.calendar .base{stroke:var(--line)}
.charts.pair{grid-template-columns:minmax(0,1fr) minmax(0,1fr)}
.trend svg{width:100%;height:auto;display:block}
.trend text{font-size:12.5px;fill:var(--soft);text-anchor:middle}
.trend text.y,.trend text.end{text-anchor:end}.trend text.start{text-anchor:start}
.trend .base{stroke:var(--line)}
.trend .line{fill:none;stroke:var(--pass);stroke-width:2.5;stroke-linejoin:round}
.trend .dot{fill:var(--pass);stroke:var(--pass);stroke-width:2}.trend .hollow{fill:var(--card)}
.trend .legend{grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:3px 22px;margin-top:12px}
.note{margin-top:18px}
.worse{color:var(--fail)}.better{color:var(--pass)}
.v-pass{--c:var(--pass);--t:var(--pass)}.v-fail{--c:var(--fail);--t:var(--fail)}.v-fail-period{--c:var(--period);--t:var(--period)}.v-unknown{--c:var(--unknown-fill);--t:var(--unknown)}.v-excepted{--c:var(--excepted);--t:var(--excepted)}.v-skipped{--c:var(--skipped);--t:var(--skipped)}.v-gone{--c:var(--gone);--t:var(--na-ink)}.v-not-applicable{--c:var(--na);--t:var(--na-ink)}
circle[class*=v-]{stroke:var(--c)}rect[class*=v-]{fill:var(--c)}
.badge{display:inline-block;white-space:nowrap;font-size:12.5px;line-height:1.5;font-weight:640;padding:1px 9px;border-radius:20px;color:var(--t);border:1px solid var(--c);background:color-mix(in srgb,var(--c) 9%,transparent)}
.scroll{position:relative;overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:12px}
.tall{max-height:85vh;overflow:auto}.tall>table>thead th{position:sticky;top:0;z-index:1;background:var(--card)}
table{border-collapse:collapse;width:100%;font-size:14.5px}
caption{text-align:left;font-size:14px;color:var(--soft);padding:12px 16px 0}
th,td{text-align:left;vertical-align:top;padding:11px 16px;border-top:1px solid var(--line)}
thead th{border-top:0;font-size:13px;font-weight:620;color:var(--soft);white-space:nowrap;vertical-align:bottom}
th[scope=row]{font-weight:600}
td.num,th.num{text-align:right;white-space:nowrap}
td.wide{min-width:200px}
.tight th,.tight td{padding:10px 11px}.tight thead th{white-space:normal}
td.why{min-width:220px}
.matrix{width:auto}.matrix th,.matrix td{padding:7px 9px}
.matrix thead th span{writing-mode:vertical-rl;transform:rotate(180deg)}.matrix thead th:first-child{text-align:left}
.matrix td{text-align:center;min-width:40px;font-weight:620;border-left:1px solid var(--line)}
.matrix td[class]{color:var(--t);background:color-mix(in srgb,var(--c) 13%,transparent)}
.matrix th[scope=row]{position:sticky;left:0;background:var(--card);font-weight:600;white-space:nowrap}
section>p.key{font-size:14px;margin:10px 0 18px}
details>summary{cursor:pointer;font-weight:620;padding:4px 0 12px}
tbody tr:hover{background:color-mix(in srgb,var(--code) 55%,transparent)}
thead button{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer}
thead button::after{content:" \2195";opacity:.45}
th[aria-sort=ascending] button::after{content:" \2191";opacity:1}th[aria-sort=descending] button::after{content:" \2193";opacity:1}
.name{font-weight:600;display:block;overflow-wrap:anywhere}
.id{display:block;color:var(--soft);font-weight:400;white-space:nowrap}
th[scope=row] code{font-weight:400;white-space:nowrap}
.desc{display:block;font-weight:400;color:var(--soft);font-size:13.5px;overflow-wrap:anywhere}
.cmd{display:block;margin-top:7px;padding:8px 11px;background:var(--code);border-radius:7px;white-space:pre-wrap;overflow-wrap:anywhere;user-select:all}
.tools{display:flex;flex-wrap:wrap;gap:8px 10px;align-items:center;margin-bottom:14px}
.chip input{position:absolute;opacity:0}
.chip label{display:inline-block;border:1px solid var(--line);background:var(--card);border-radius:20px;padding:3px 13px;font-size:14px;cursor:pointer}
.chip input:checked+label{border-color:var(--ink);font-weight:620;box-shadow:inset 0 0 0 1px var(--ink)}
.chip input:focus-visible+label{outline:2px solid var(--link);outline-offset:2px}
.search{margin-left:auto;display:flex;gap:10px;align-items:center;font-size:14px}
.search[hidden]{display:none}
.search input{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:5px 11px;width:210px}
.meaning{display:grid;grid-template-columns:max-content max-content 1fr;gap:10px 18px;align-items:baseline;padding:20px 22px}
.meaning dt{grid-column:1}.meaning dd.num{grid-column:2;text-align:right;font-weight:620}.meaning dd.text{grid-column:3}
.stack>*+*{margin-top:16px}
.two{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:18px;align-items:start}
.pad{padding:20px 24px}.pad>*+*{margin-top:10px}
.pad ul{padding-left:20px}
.facts{color:var(--soft);font-size:14px;padding:14px 16px 0;display:flex;flex-wrap:wrap;gap:2px 22px}
.change h3{padding:16px 16px 0;text-transform:capitalize}
.done{--c:var(--pass);--t:var(--pass)}.unchanged{--c:var(--na);--t:var(--na-ink)}.refused,.pending{--c:var(--unknown-fill);--t:var(--unknown)}.failed{--c:var(--fail);--t:var(--fail)}
footer{margin-top:44px;border-top:1px solid var(--line);color:var(--soft);font-size:13.5px}
footer .wrap{padding-top:20px;padding-bottom:40px}
@media (max-width:960px){.charts,.charts.pair{grid-template-columns:1fr}.two{grid-template-columns:1fr}}
@media (max-width:700px){
.wrap{padding:0 16px}section{padding-top:28px}
.scope{grid-template-columns:minmax(0,1fr) minmax(0,1fr)}.hero{grid-template-columns:1fr;padding:22px 20px}.hero .answer{font-size:31px}.hero .percent{text-align:left}.hero .percent b{font-size:34px;display:inline;margin-right:8px}
.meaning{grid-template-columns:max-content 1fr}.meaning dd.text{grid-column:1/-1;margin-bottom:6px}
.search{margin-left:0;width:100%;flex-wrap:wrap}.search input{width:100%}
table.cards,table.cards tbody,table.cards tr,table.cards td,table.cards th[scope=row]{display:block}
table.cards thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table.cards tr{padding:12px 16px;border-top:1px solid var(--line)}table.cards tr[hidden]{display:none}
table.cards td,table.cards th[scope=row]{border:0;padding:2px 0}
table.cards td[data-label]:not(.bare)::before{content:attr(data-label) ": ";color:var(--soft)}
table.cards td:empty{display:none}.cmd .nw{white-space:normal;display:inline-block}
}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
@media print{
@page{margin:14mm}
body{background:#fff;font-size:10.5pt}.wrap{max-width:none;padding:0}
.theme,.tools,.skip{display:none}.card,.scroll{border-color:#bbb}.hero{border-left-color:var(--tone)}.id,.cmd .nw,th[scope=row] code{white-space:normal}
.scroll{overflow:visible;max-height:none}tr,figure,.hero,.change h3{break-inside:avoid}h2,h3{break-after:avoid}thead{display:table-header-group}
table{font-size:9.5pt}th,td{padding:6px 8px}
.charts{grid-template-columns:1fr 1fr 1fr}.charts figure{padding:12px}.two{grid-template-columns:1fr 1fr}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
)css";

constexpr std::string_view kScript = R"js(
(function () {
  'use strict';
  var table = document.getElementById('keys');
  var box = document.getElementById('search');
  if (!table || !box) return;
  var body = table.tBodies[0];
  var heads = Array.from(table.tHead.rows[0].cells);
  var rows = Array.from(body.rows).map(function (tr) {
    return {tr: tr, text: tr.textContent.toLowerCase()};
  });
  var shown = document.getElementById('shown');
  box.closest('.search').hidden = false;
  box.addEventListener('input', function () {
    var words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    var count = 0;
    rows.forEach(function (row) {
      var hit = words.every(function (w) { return row.text.indexOf(w) >= 0; });
      row.tr.hidden = !hit;
      count += hit ? 1 : 0;
    });
    shown.textContent = words.length ? count + ' found' : '';
  });
  heads.forEach(function (th, column) {
    var button = document.createElement('button');
    button.type = 'button';
    button.textContent = th.textContent;
    th.replaceChildren(button);
    button.addEventListener('click', function () {
      var up = th.getAttribute('aria-sort') !== 'ascending';
      heads.forEach(function (h) { h.removeAttribute('aria-sort'); });
      th.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      var value = function (row) {
        var cell = row.tr.cells[column];
        return cell.dataset.sort || cell.textContent;
      };
      rows.sort(function (a, b) {
        var order = value(a).localeCompare(value(b), 'en', {numeric: true});
        return up ? order : -order;
      });
      body.append.apply(body, rows.map(function (row) { return row.tr; }));
    });
  });
})();
)js";

}  // namespace

std::string StyleSheet() {
  std::string css;
  css.append(":root{").append(kLight).append("}\n");
  css.append(
      "@media screen and (prefers-color-scheme:dark){:root:not(:has(#theme-light:checked)){");
  css.append(kDark).append("}}\n@media screen{:root:has(#theme-dark:checked){");
  css.append(kDark).append("}}");
  css.append(kBase);
  // One filter rule for each verdict: the chips work without script.
  for (const control::Verdict verdict : kVerdictOrder) {
    const std::string name(VerdictClass(verdict));
    css += "#all-keys:has(#show-" + name + ":checked) tbody tr:not(." + name + "){display:none}\n";
  }
  return css;
}

std::string_view Script() { return kScript; }

}  // namespace keyturn::report
