//! Table and picture, into the page that explains them: between its marks, and beside it.

use std::fmt::Write as _;
use std::path::Path;

use super::footprint::Footprint;
use super::{Figures, Measured};

/// What stands around the figures of a page.
const MARKS: (&str, &str) = ("<!-- figures: written by `make bench` -->\n", "<!-- end of figures -->");

/// Of the picture, in pixels: a line, what is left of the bars, and what a ratio of one takes.
const LINE: usize = 26;
const LABELS: usize = 330;
const ONE: f64 = 170.0;

/// Longer bars are cut.
const LONGEST: f64 = 3.2;

/// Writes them; panics where the page has no marks.
pub fn write(page: &Path, figures: &Figures) {
    let text = std::fs::read_to_string(page).unwrap_or_else(|e| panic!("{}: {e}", page.display()));
    let (before, rest) = text.split_once(MARKS.0).unwrap_or_else(|| panic!("{} has no `{}`", page.display(), MARKS.0.trim()));
    let (_, after) = rest.split_once(MARKS.1).unwrap_or_else(|| panic!("{} has no `{}`", page.display(), MARKS.1));
    let picture = page.with_extension("svg");
    let name = picture.file_name().unwrap_or_default().to_string_lossy();
    let picture_of = format!("![Each variant beside its base, and how far the goals are]({name})");
    let tables = [ratios(&figures.measured), picture_of, footprint(figures.footprint.as_ref()), crossings(figures)];
    let tables: Vec<String> = tables.into_iter().filter(|table| !table.is_empty()).collect();
    let new = format!("{before}{}\n{}\n\n{}{after}", MARKS.0, tables.join("\n\n"), MARKS.1);
    std::fs::write(page, new).unwrap_or_else(|e| panic!("{}: {e}", page.display()));
    std::fs::write(&picture, svg(&figures.measured)).unwrap_or_else(|e| panic!("{}: {e}", picture.display()));
}

fn ratios(measured: &[Measured]) -> String {
    let mut table = String::from(
        "| variant | base | ratio | quartiles | goal | µs of CPU a request, variant and base |\n|---|---|--:|--:|--:|--:|",
    );
    for one in measured {
        let Measured { comparison, ratio, micros } = one;
        let digits = one.digits();
        let goal = comparison.goal.map_or(String::new(), |goal| format!("≤ {goal:.0$}", if goal < 0.1 { 3 } else { 2 }));
        let goal = if one.misses() { format!("{goal}, **missed**") } else { goal };
        let _ = write!(
            table,
            "\n| {} | {} | {:.digits$} | {:.digits$} to {:.digits$} | {goal} | {:.1}, {:.1} |",
            comparison.variant.0, comparison.base.0, ratio.median, ratio.low, ratio.high, micros.0, micros.1
        );
    }
    table
}

fn footprint(footprint: Option<&Footprint>) -> String {
    let Some(footprint) = footprint else { return String::new() };
    let rows = footprint.rows().into_iter().map(|(what, figure, goal)| format!("\n| {what} | {figure} | {goal} |"));
    format!("| start and memory | median of several starts | goal |\n|---|--:|--:|{}", rows.collect::<String>())
}

fn crossings(figures: &Figures) -> String {
    if figures.crossings.is_empty() {
        return String::new();
    }
    let rows = figures.crossings.iter().map(|(call, micros)| format!("\n| `{}` | {micros:.2} |", call.name()));
    format!("| host call | µs |\n|---|--:|{}", rows.collect::<String>())
}

fn svg(measured: &[Measured]) -> String {
    let (width, height) = (LABELS + 620, LINE * (measured.len() + 2));
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    #[expect(clippy::cast_precision_loss, reason = "pixels")]
    let left = LABELS as f64;
    let one = left + ONE;
    let _ = writeln!(picture, "<line x1=\"{one}\" y1=\"0\" x2=\"{one}\" y2=\"{}\" stroke=\"#999\"/>", height - LINE);
    let _ = writeln!(picture, "<text x=\"{one}\" y=\"{}\" text-anchor=\"middle\" fill=\"#666\">as the base</text>", height - 8);
    for (place, measured) in measured.iter().enumerate() {
        let Measured { comparison, ratio, .. } = measured;
        let top = LINE * place + 6;
        let base_line = top + 13;
        let length = |ratio: f64| ratio.min(LONGEST) * ONE;
        let colour = match comparison.goal {
            None => "#8aa6c1",
            Some(_) if measured.misses() => "#d08a4c",
            Some(_) => "#5b9e6f",
        };
        let label = escaped(comparison.variant.0);
        let _ = writeln!(picture, "<text x=\"{}\" y=\"{base_line}\" text-anchor=\"end\">{label}</text>", LABELS - 8);
        let bar = length(ratio.median);
        let _ = writeln!(picture, "<rect x=\"{left}\" y=\"{top}\" width=\"{bar:.1}\" height=\"17\" fill=\"{colour}\"/>");
        let (low, high, middle) = (left + length(ratio.low), left + length(ratio.high), top + 8);
        let _ = writeln!(
            picture,
            "<line x1=\"{low:.1}\" y1=\"{middle}\" x2=\"{high:.1}\" y2=\"{middle}\" stroke=\"#333\" stroke-width=\"2\"/>"
        );
        if let Some(goal) = comparison.goal {
            let at = left + length(goal);
            let (from, to) = (top - 2, top + 19);
            let _ = writeln!(
                picture,
                "<line x1=\"{at:.1}\" y1=\"{from}\" x2=\"{at:.1}\" y2=\"{to}\" stroke=\"#b00\" stroke-width=\"2\"/>"
            );
        }
        let (behind, digits) = (high.max(left + bar) + 8.0, measured.digits());
        let base = escaped(comparison.base.0);
        let _ =
            writeln!(picture, "<text x=\"{behind:.1}\" y=\"{base_line}\" fill=\"#333\">{:.digits$} × {base}</text>", ratio.median);
    }
    picture + "</svg>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
