//! Two panels in one SVG: cost against the number of rules, and against the length of a message.

use std::fmt::Write as _;

use super::report::{Results, grouped};
use super::world::COLUMNS;

/// Engines with their colors, each readable on white and on black.
const LINES: [(&str, &str, &str); 7] = [
    ("index", "#e0532f", ""),
    ("plain", "#8a8a8a", "2 4"),
    ("loop", "#3b82d6", ""),
    ("RegexSet", "#a05fd0", ""),
    ("RegexSet, 256 MiB", "#a05fd0", "6 4"),
    ("regex-filtered", "#2f9e63", ""),
    ("floor", "#b8860b", "2 4"),
];

const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 320.0;
const TOP: f64 = 40.0;

/// A panel: where it stands, and what its axes mean.
struct Panel {
    left: f64,
    title: String,
    axis: &'static str,
    /// For each line of the legend its points.
    lines: Vec<Vec<(f64, f64)>>,
    marks: Vec<f64>,
}

pub fn svg(results: &Results) -> String {
    let sizes = results.sizes();
    let rules = Panel {
        left: 80.0,
        title: "Mixture of failures".to_owned(),
        axis: "rules",
        lines: lines(|engine| {
            sizes.iter().filter_map(|&size| Some((size as f64, results.cost(engine, size, 0)?))).collect()
        }),
        marks: sizes.iter().map(|&size| size as f64).collect(),
    };
    let size = sizes.iter().copied().rfind(|&size| size <= 4_000).unwrap_or_default();
    let lengths: Vec<(usize, f64)> = [100.0, 1_000.0, 4_000.0, 65_536.0].into_iter().enumerate().collect();
    let length = Panel {
        left: 580.0,
        title: format!("Messages that no rule knows, {} rules", grouped(size as f64)),
        axis: "bytes of message",
        // The misses are the columns behind the mixture.
        lines: lines(|engine| {
            let cost = |(place, bytes): &(usize, f64)| Some((*bytes, results.cost(engine, size, place + 1)?));
            lengths.iter().filter_map(cost).collect()
        }),
        marks: lengths.iter().map(|(_, bytes)| *bytes).collect(),
    };
    debug_assert!(COLUMNS[1].0.starts_with("miss"));
    let mut out = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1010 450\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <title>Nanoseconds per classification</title>\n\
         <style>text { fill: #444 } .grid { stroke: #999; stroke-opacity: .35 } \
         @media (prefers-color-scheme: dark) { text { fill: #ccc } }</style>\n",
    );
    rules.draw(&mut out);
    length.draw(&mut out);
    let mut x = 80.0;
    for (engine, color, dashes) in LINES {
        let y = TOP + HEIGHT + 70.0;
        line(&mut out, &[(x, y - 4.0), (x + 24.0, y - 4.0)], color, dashes);
        text(&mut out, x + 30.0, y, "start", engine);
        x += 52.0 + 7.0 * engine.len() as f64;
    }
    out.push_str("</svg>\n");
    out
}

fn lines(points: impl Fn(&str) -> Vec<(f64, f64)>) -> Vec<Vec<(f64, f64)>> {
    LINES.iter().map(|(engine, ..)| points(engine)).collect()
}

impl Panel {
    fn draw(&self, out: &mut String) {
        let costs = self.lines.iter().flatten().map(|(_, cost)| cost.log10());
        let (low, high) = costs.fold((f64::MAX, f64::MIN), |(low, high), cost| (low.min(cost), high.max(cost)));
        if low > high {
            return;
        }
        let (low, high) = (low.floor(), high.ceil().max(low.floor() + 1.0));
        let first = self.marks.first().copied().unwrap_or(1.0).log10();
        let last = self.marks.last().copied().unwrap_or(10.0).log10().max(first + 0.1);
        let x = |value: f64| self.left + (value.log10() - first) / (last - first) * WIDTH;
        let y = |cost: f64| TOP + HEIGHT - (cost.log10() - low) / (high - low) * HEIGHT;
        text(out, self.left + WIDTH / 2.0, TOP - 16.0, "middle", &self.title);
        let (x_label, y_label) = (self.left - 56.0, TOP + HEIGHT / 2.0);
        _ = writeln!(
            out,
            "<text x=\"{x_label:.1}\" y=\"{y_label:.1}\" text-anchor=\"middle\" \
             transform=\"rotate(-90 {x_label:.1} {y_label:.1})\">time for one classification</text>",
        );
        let mut power = low;
        while power <= high {
            let at = y(10_f64.powf(power));
            grid(out, (self.left, at), (self.left + WIDTH, at));
            text(out, self.left - 8.0, at + 4.0, "end", &duration(power));
            power += 1.0;
        }
        for &mark in &self.marks {
            grid(out, (x(mark), TOP), (x(mark), TOP + HEIGHT));
            text(out, x(mark), TOP + HEIGHT + 18.0, "middle", &grouped(mark));
        }
        text(out, self.left + WIDTH / 2.0, TOP + HEIGHT + 38.0, "middle", self.axis);
        for (points, (_, color, dashes)) in self.lines.iter().zip(LINES) {
            let points: Vec<_> = points.iter().map(|&(value, cost)| (x(value), y(cost))).collect();
            line(out, &points, color, dashes);
            for (x, y) in points {
                _ = writeln!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{color}\"/>");
            }
        }
    }
}

/// A power of ten nanoseconds, in words.
fn duration(power: f64) -> String {
    let (unit, power) = match power {
        p if p >= 9.0 => ("s", p - 9.0),
        p if p >= 6.0 => ("ms", p - 6.0),
        p if p >= 3.0 => ("µs", p - 3.0),
        p => ("ns", p),
    };
    format!("{} {unit}", 10_f64.powf(power).round())
}

fn grid(out: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    _ = writeln!(out, "<line class=\"grid\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>");
}

fn line(out: &mut String, points: &[(f64, f64)], color: &str, dashes: &str) {
    let dashes = if dashes.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dashes}\"") };
    let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    _ = writeln!(
        out,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"{dashes}/>",
        points.join(" ")
    );
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>");
}
