//! Plots as SVG: lines over seconds and pairs of bars, with their numbers as tooltips. No script, no style from elsewhere.

use super::html::escaped;
use std::fmt::Write as _;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 200.0;
/// Room for the axes' numbers.
const LEFT: f64 = 56.0;
const BOTTOM: f64 = 24.0;
const TOP: f64 = 10.0;
const RIGHT: f64 = 10.0;
/// Points of a line; of more, neighbours are drawn as one.
const POINTS: usize = 600;

/// A line of a plot.
pub(super) struct PlotLine<'a> {
    pub(super) name: &'a str,
    /// The class that gives it its colour.
    pub(super) class: &'a str,
    /// A value a second, where there is one.
    pub(super) values: Vec<Option<f64>>,
}

/// Values over seconds since the load began.
pub(super) fn lines(title: &str, unit: &str, all: &[PlotLine<'_>]) -> String {
    let values = all.iter().flat_map(|line| line.values.iter().flatten().copied());
    let axis = Axis::of(values);
    let seconds = all.iter().map(|line| line.values.len()).max().unwrap_or(0);
    let mut svg = begin(title, unit, &axis);
    let x_of = |second: f64| LEFT + (WIDTH - LEFT - RIGHT) * second / (seconds.max(2) - 1) as f64;
    for second in [0, seconds.saturating_sub(1) / 2, seconds.saturating_sub(1)] {
        let x = x_of(second as f64);
        let _ = write!(
            svg,
            "<text class=\"tick\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{:.1}\">{second} s</text>",
            HEIGHT - 8.0
        );
    }
    for line in all {
        let each = line.values.len().div_ceil(POINTS).max(1);
        let mut path = String::new();
        let mut is_drawn = false;
        for (n, some) in line.values.chunks(each).enumerate() {
            let known: Vec<f64> = some.iter().flatten().copied().collect();
            if known.is_empty() {
                is_drawn = false;
                continue;
            }
            let mean = known.iter().sum::<f64>() / known.len() as f64;
            let letter = if is_drawn { 'L' } else { 'M' };
            let _ = write!(path, "{letter}{:.1} {:.1}", x_of((n * each) as f64), axis.y_of(mean));
            is_drawn = true;
        }
        let name = escaped(line.name);
        let _ = write!(svg, "<path class=\"{}\" d=\"{path}\"><title>{name}</title></path>", line.class);
    }
    svg.push_str("</svg>");
    svg
}

/// A group of bars: what it is called, and its values in the order of `classes`.
pub(super) type BarGroup = (String, Vec<f64>);

/// Bars side by side, group by group.
pub(super) fn bars(title: &str, unit: &str, names: &[&str], groups: &[BarGroup]) -> String {
    let axis = Axis::of(groups.iter().flat_map(|(_, values)| values.iter().copied()).chain([0.0]));
    let mut svg = begin(title, unit, &axis);
    let room = (WIDTH - LEFT - RIGHT) / groups.len().max(1) as f64;
    let bar = (room * 0.8 / names.len().max(1) as f64).min(40.0);
    // With many groups there is no room for their names, which are in the tooltips then.
    let has_room = room >= 48.0;
    for (n, (name, values)) in groups.iter().enumerate() {
        let middle = LEFT + room * (n as f64 + 0.5);
        let name = escaped(name);
        if has_room {
            let y = HEIGHT - 8.0;
            let _ =
                write!(svg, "<text class=\"tick\" text-anchor=\"middle\" x=\"{middle:.1}\" y=\"{y:.1}\">{name}</text>");
        }
        for (k, (value, what)) in values.iter().zip(names).enumerate() {
            let x = middle + bar * (k as f64 - values.len() as f64 / 2.0);
            let (y, zero) = (axis.y_of(*value), axis.y_of(0.0));
            let (top, height) = (y.min(zero), (y - zero).abs());
            let what = escaped(what);
            let _ = write!(
                svg,
                "<rect class=\"bar{k}\" x=\"{x:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{height:.1}\"><title>{name}, \
                 {what}: {value:.2} {unit}</title></rect>",
                (bar - 1.0).max(0.5)
            );
        }
    }
    svg.push_str("</svg>");
    svg
}

fn begin(title: &str, unit: &str, axis: &Axis) -> String {
    let title = escaped(title);
    let mut svg =
        format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\"><title>{title}</title>");
    for mark in axis.marks() {
        let y = axis.y_of(mark);
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text class=\"tick\" \
             text-anchor=\"end\" x=\"{:.1}\" y=\"{:.1}\">{} {unit}</text>",
            WIDTH - RIGHT,
            LEFT - 4.0,
            y + 4.0,
            axis.told(mark)
        );
    }
    svg
}

/// A scale from zero, or below it, to a round number.
struct Axis {
    least: f64,
    step: f64,
    steps: u32,
}

impl Axis {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let (least, most) = values
            .filter(|value| value.is_finite())
            .fold((0.0_f64, 0.0_f64), |(least, most), value| (least.min(value), most.max(value)));
        let span = if most > least { most - least } else { 1.0 };
        let rough = span / 4.0;
        let power = 10.0_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|n| n * power).into_iter().find(|step| *step >= rough);
        let step = step.unwrap_or(rough);
        let least = (least / step).floor() * step;
        let steps = (((most - least) / step).ceil() as u32).clamp(1, 12);
        Self { least, step, steps }
    }

    fn marks(&self) -> impl Iterator<Item = f64> + '_ {
        (0..=self.steps).map(|n| self.least + self.step * f64::from(n))
    }

    fn y_of(&self, value: f64) -> f64 {
        let share = (value - self.least) / (self.step * f64::from(self.steps));
        HEIGHT - BOTTOM - share.clamp(0.0, 1.0) * (HEIGHT - BOTTOM - TOP)
    }

    fn told(&self, mark: f64) -> String {
        let decimals = if self.step >= 1.0 { usize::from(self.step.fract() > 0.0) } else { 2 };
        format!("{mark:.decimals$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_round_marks_that_hold_all_values() {
        for (values, marks) in [
            (vec![0.0, 93.0], vec![0.0, 25.0, 50.0, 75.0, 100.0]),
            (vec![-3.0, 5.0], vec![-4.0, -2.0, 0.0, 2.0, 4.0, 6.0]),
            (vec![], vec![0.0, 0.25, 0.5, 0.75, 1.0]),
            (vec![f64::NAN, 4.0], vec![0.0, 1.0, 2.0, 3.0, 4.0]),
        ] {
            let axis = Axis::of(values.iter().copied());
            let told: Vec<f64> = axis.marks().collect();
            if !values.is_empty() {
                assert_eq!(told, marks, "{values:?}");
            }
            assert!(values.iter().filter(|v| v.is_finite()).all(|v| *v >= told[0] && *v <= told[told.len() - 1]));
        }
    }

    #[test]
    fn a_gap_in_the_values_is_a_gap_in_the_line() {
        let values = vec![Some(1.0), Some(2.0), None, Some(3.0)];
        let svg = lines("a", "ms", &[PlotLine { name: "<b>", class: "line0", values }]);
        let path = svg.split("d=\"").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(path.matches('M').count(), 2, "{path}");
        assert!(svg.contains("&lt;b&gt;") && !svg.contains("<b>"));
    }

    #[test]
    fn a_long_run_has_no_more_points_than_can_be_seen() {
        let values = (0..86_400).map(|n| Some(f64::from(n))).collect();
        assert!(lines("a", "ms", &[PlotLine { name: "b", class: "line0", values }]).len() < 20_000);
    }
}
