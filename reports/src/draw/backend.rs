//! Plotters draws here: its strokes become the elements of an [`Svg`].
//!
//! Plotters knows whole pixels, so it is told of a drawing ten times as large, and what it draws is written in tenths.
//! Its colours are places in the list of inks, and become classes. What is drawn one after the other in one style becomes
//! one path of relative steps, and a dot a line without length that has round ends: ten thousand dots take 100 KB.

use super::ink::Ink;
use super::svg::{Anchor, Svg, fill, stroke};
use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::types::RangedCoordf64;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{Drawable, PointCollection, Polygon, Rectangle};
use plotters::series::LineSeries;
use plotters::style::{Color, ShapeStyle};
use plotters_backend::text_anchor::HPos;
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::iter::once;
use std::ops::Range;

/// Of plotters' pixels in one of ours.
const FINE: f64 = 10.0;

/// A rectangle of a drawing, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Its left edge.
    pub left: f64,
    /// Its upper edge.
    pub top: f64,
    /// How wide it is.
    pub width: f64,
    /// How high.
    pub height: f64,
}

impl Frame {
    /// Its right edge.
    pub fn right(&self) -> f64 {
        self.left + self.width
    }

    /// Its lower edge.
    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }
}

/// What marks one point among many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A round spot.
    Dot,
    /// An empty square on its corner.
    Diamond,
    /// A full triangle.
    Triangle,
    /// Two strokes.
    Cross,
}

/// A line's style: its ink, its width in pixels.
pub fn pen(ink: Ink, width: f64) -> ShapeStyle {
    ShapeStyle { color: ink.to_rgba(), filled: false, stroke_width: (width * FINE) as u32 }
}

/// A surface's style: its ink, how much it covers.
pub fn brush(ink: Ink, opacity: f64) -> ShapeStyle {
    ShapeStyle { color: ink.mix(opacity), filled: true, stroke_width: 0 }
}

/// A rectangle with two linear axes.
pub struct Chart<'a> {
    context: ChartContext<'a, Backend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>,
    x: Range<f64>,
    y: Range<f64>,
}

/// Draws data within a frame. Ranges are as [`finite_range`] gives them; what lies outside stands at the edge.
pub fn chart(svg: &mut Svg, frame: Frame, x: Range<f64>, y: Range<f64>, draw: impl FnOnce(&mut Chart<'_>)) {
    let fine = |px: f64| (px * FINE).clamp(0.0, 1e6) as i32;
    let size = (fine(frame.right()) as u32 + 1, fine(frame.bottom()) as u32 + 1);
    let whole: DrawingArea<Backend<'_>, Shift> = Backend { svg, size, run: None }.into_drawing_area();
    // A range of plotters' ends on the last pixel of its area, not after it.
    let area = whole.shrink((fine(frame.left), fine(frame.top)), (fine(frame.width) + 1, fine(frame.height) + 1));
    // A backend without errors has charts without them.
    if let Ok(context) = ChartBuilder::on(&area).build_cartesian_2d(x.clone(), y.clone()) {
        draw(&mut Chart { context, x, y });
    }
}

impl Chart<'_> {
    fn within(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let within = |at: f64, range: &Range<f64>| {
            if at.is_nan() { range.start } else { at.clamp(range.start, range.end) }
        };
        (within(x, &self.x), within(y, &self.y))
    }

    /// A line through points.
    pub fn line(&mut self, points: impl IntoIterator<Item = (f64, f64)>, style: ShapeStyle) {
        let points: Vec<(f64, f64)> = points.into_iter().map(|at| self.within(at)).collect();
        let _ = self.context.draw_series(LineSeries::new(points, style));
    }

    /// A filled surface within a line through points.
    pub fn surface(&mut self, points: impl IntoIterator<Item = (f64, f64)>, style: ShapeStyle) {
        let points: Vec<(f64, f64)> = points.into_iter().map(|at| self.within(at)).collect();
        let _ = self.context.draw_series(once(Polygon::new(points, style)));
    }

    /// A rectangle between two corners.
    pub fn cell(&mut self, corners: [(f64, f64); 2], style: ShapeStyle) {
        let corners = corners.map(|at| self.within(at));
        let _ = self.context.draw_series(once(Rectangle::new(corners, style)));
    }

    /// Marks of one shape at points.
    pub fn marks(&mut self, points: impl IntoIterator<Item = (f64, f64)>, shape: Shape, style: ShapeStyle) {
        let marks: Vec<Mark> = points.into_iter().map(|at| Mark { at: self.within(at), shape, style }).collect();
        let _ = self.context.draw_series(marks);
    }

    /// Begins a path of its own, which covers what the last one drew: within one path, opacity does not add up.
    pub fn lift(&mut self) {
        let _ = self.context.plotting_area().present();
    }
}

/// A range that holds all of some numbers, but for those that are none, and is not empty: a chart without an end never
/// ends, and one without a length has no middle.
pub fn finite_range(numbers: impl IntoIterator<Item = f64>) -> Range<f64> {
    let finite = numbers.into_iter().filter(|number| number.is_finite());
    let (low, high) = finite.fold((f64::MAX, f64::MIN), |(low, high), at| (low.min(at), high.max(at)));
    if low > high {
        0.0..1.0
    } else if low == high || !(high - low).is_finite() {
        low.clamp(-1e300, 1e300) - 0.5..high.clamp(-1e300, 1e300) + 0.5
    } else {
        low..high
    }
}

impl Color for Ink {
    fn to_backend_color(&self) -> BackendColor {
        // Two inks may look alike by day and differ by night, so it is the place in the list that plotters carries for us.
        let place = Ink::ALL.iter().position(|ink| ink == self).unwrap_or(0);
        BackendColor { alpha: 1.0, rgb: (place as u8, 0, 0) }
    }
}

/// An element of plotters that only this backend can draw.
struct Mark {
    at: (f64, f64),
    shape: Shape,
    style: ShapeStyle,
}

impl<'m> PointCollection<'m, (f64, f64)> for &'m Mark {
    type Point = &'m (f64, f64);
    type IntoIter = std::iter::Once<&'m (f64, f64)>;

    fn point_iter(self) -> Self::IntoIter {
        once(&self.at)
    }
}

impl<'a> Drawable<Backend<'a>> for Mark {
    fn draw<I: Iterator<Item = BackendCoord>>(
        &self,
        points: I,
        backend: &mut Backend<'a>,
        _: (u32, u32),
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        for at in points {
            backend.mark(self.shape, at, &self.style);
        }
        Ok(())
    }
}

/// Where plotters' strokes go.
pub struct Backend<'a> {
    svg: &'a mut Svg,
    size: (u32, u32),
    run: Option<Run>,
}

/// A path that is being drawn.
struct Run {
    look: Look,
    d: String,
    at: BackendCoord,
}

/// What elements share that become one path.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Look {
    ink: Ink,
    /// How much it covers, in hundredths.
    percent: u8,
    stroke: Stroke,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stroke {
    /// Filled, without a line.
    None,
    /// So many tenths of a pixel wide.
    Line(u32),
    /// So many tenths of a pixel wide, with round ends.
    Round(u32),
}

impl Run {
    /// A step; a number that is not negative needs a gap before it.
    fn step(&mut self, letter: char, steps: &[i32]) {
        self.d.push(letter);
        for (i, tenths) in steps.iter().enumerate() {
            let gap = if i > 0 && *tenths >= 0 { " " } else { "" };
            let sign = if *tenths < 0 { "-" } else { "" };
            let (whole, tenth) = (tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10);
            let _ = match (whole, tenth) {
                (whole, 0) => write!(self.d, "{gap}{sign}{whole}"),
                (0, tenth) => write!(self.d, "{gap}{sign}.{tenth}"),
                (whole, tenth) => write!(self.d, "{gap}{sign}{whole}.{tenth}"),
            };
        }
    }

    fn move_to(&mut self, to: BackendCoord) {
        if self.d.is_empty() {
            self.step('M', &[to.0, to.1]);
        } else {
            self.step('m', &[to.0 - self.at.0, to.1 - self.at.1]);
        }
        self.at = to;
    }

    fn line_to(&mut self, to: BackendCoord) {
        match (to.0 - self.at.0, to.1 - self.at.1) {
            (0, 0) => {}
            (x, 0) => self.step('h', &[x]),
            (0, y) => self.step('v', &[y]),
            (x, y) => self.step('l', &[x, y]),
        }
        self.at = to;
    }

    fn lines(&mut self, points: impl IntoIterator<Item = BackendCoord>) -> Option<BackendCoord> {
        let mut points = points.into_iter();
        let first = points.next()?;
        self.move_to(first);
        points.for_each(|point| self.line_to(point));
        Some(first)
    }

    fn polygon(&mut self, points: impl IntoIterator<Item = BackendCoord>) {
        if let Some(first) = self.lines(points) {
            self.d.push('z');
            self.at = first;
        }
    }

    fn dot(&mut self, at: BackendCoord) {
        self.move_to(at);
        self.d.push_str("h0");
    }
}

impl Backend<'_> {
    /// The path for elements that look so.
    fn run(&mut self, color: BackendColor, stroke: Stroke) -> &mut Run {
        let ink = Ink::ALL.get(usize::from(color.rgb.0)).copied().unwrap_or(Ink::TEXT);
        let look = Look { ink, percent: (color.alpha * 100.0).clamp(0.0, 100.0) as u8, stroke };
        if self.run.as_ref().is_some_and(|run| run.look != look) {
            self.finish();
        }
        self.run.get_or_insert(Run { look, d: String::new(), at: (0, 0) })
    }

    /// Writes the path that was being drawn.
    fn finish(&mut self) {
        let Some(Run { look: Look { ink, percent, stroke: drawn }, d, .. }) = self.run.take() else { return };
        let opacity = match percent {
            100 => String::new(),
            percent => format!(" opacity=\".{percent:02}\""),
        };
        let width = |tenths: u32| super::svg::px(f64::from(tenths) / FINE);
        let style = match drawn {
            Stroke::None => format!("class=\"{}\"", fill(ink)),
            Stroke::Line(tenths) => format!("class=\"{}\" stroke-width=\"{}\"", stroke(ink), width(tenths)),
            Stroke::Round(tenths) => {
                format!("class=\"{}\" stroke-width=\"{}\" stroke-linecap=\"round\"", stroke(ink), width(tenths))
            }
        };
        if !d.is_empty() {
            self.svg.element("path", &format!("d=\"{d}\" {style}{opacity}"));
        }
    }

    fn mark(&mut self, shape: Shape, (x, y): BackendCoord, style: &ShapeStyle) {
        let (color, width) = (BackendStyle::color(style), style.stroke_width);
        let reach = width as i32;
        match shape {
            Shape::Dot => self.run(color, Stroke::Round(width)).dot((x, y)),
            Shape::Triangle => {
                let corners = [(x, y - reach), (x + reach, y + reach), (x - reach, y + reach)];
                self.run(color, Stroke::None).polygon(corners);
            }
            Shape::Diamond => {
                let corners = [(x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y)];
                self.run(color, Stroke::Line(width / 2)).polygon(corners);
            }
            Shape::Cross => {
                let run = self.run(color, Stroke::Line(width / 2));
                run.lines([(x - reach, y - reach), (x + reach, y + reach)]);
                run.lines([(x + reach, y - reach), (x - reach, y + reach)]);
            }
        }
    }
}

impl Drop for Backend<'_> {
    fn drop(&mut self) {
        self.finish();
    }
}

impl DrawingBackend for Backend<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Result<(), DrawingErrorKind<Infallible>> {
        Ok(())
    }

    fn present(&mut self) -> Result<(), DrawingErrorKind<Infallible>> {
        self.finish();
        Ok(())
    }

    fn draw_pixel(&mut self, at: BackendCoord, color: BackendColor) -> Result<(), DrawingErrorKind<Infallible>> {
        self.run(color, Stroke::Round(1)).dot(at);
        Ok(())
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        (left, top): BackendCoord,
        (right, bottom): BackendCoord,
        style: &S,
        filled: bool,
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        let stroke = if filled { Stroke::None } else { Stroke::Line(style.stroke_width()) };
        self.run(style.color(), stroke).polygon([(left, top), (right, top), (right, bottom), (left, bottom)]);
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        self.run(style.color(), Stroke::Line(style.stroke_width())).lines(path);
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        (x, y): BackendCoord,
        radius: u32,
        style: &S,
        filled: bool,
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        if filled {
            self.run(style.color(), Stroke::Round(radius * 2)).dot((x, y));
        } else {
            let run = self.run(style.color(), Stroke::Line(style.stroke_width()));
            let radius = radius as i32;
            run.move_to((x - radius, y));
            for across in [2 * radius, -2 * radius] {
                run.step('a', &[radius, radius, 0, 0, 10, across, 0]);
            }
        }
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        self.run(style.color(), Stroke::None).polygon(corners);
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        (x, y): BackendCoord,
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        self.finish();
        let ink = Ink::ALL.get(usize::from(style.color().rgb.0)).copied().unwrap_or(Ink::TEXT);
        let size = match style.size() / FINE {
            small if small < 12.0 => " small",
            large if large > 13.0 => " large",
            _ => "",
        };
        let anchor = match style.anchor().h_pos {
            HPos::Left => Anchor::Start,
            HPos::Center => Anchor::Middle,
            HPos::Right => Anchor::End,
        };
        self.svg.text((f64::from(x) / FINE, f64::from(y) / FINE), anchor, &format!("{}{size}", fill(ink)), text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(draw: impl FnOnce(&mut Chart<'_>)) -> String {
        let mut svg = Svg::new();
        let frame = Frame { left: 10.0, top: 20.0, width: 100.0, height: 50.0 };
        chart(&mut svg, frame, 0.0..10.0, 0.0..1.0, draw);
        svg.into_text()
    }

    #[test]
    fn corners_of_the_data_are_corners_of_the_frame() {
        let line = drawn(|chart| chart.line([(0.0, 0.0), (10.0, 0.0), (10.0, 1.0), (5.0, 0.5)], pen(Ink::OK, 1.5)));
        assert_eq!(line, "<path d=\"M10 70h100v-50l-50 25\" class=\"s-ok\" stroke-width=\"1.5\"/>");
    }

    #[test]
    fn what_looks_alike_is_one_path() {
        let path = drawn(|chart| {
            chart.marks([(1.0, 0.0), (1.01, 0.5)], Shape::Dot, pen(Ink::OK, 3.0));
            chart.marks([(2.0, 0.5)], Shape::Dot, pen(Ink::OK, 3.0));
            chart.marks([(2.0, 0.5)], Shape::Cross, pen(Ink::UNKNOWN, 2.0));
            chart.cell([(0.0, 0.0), (1.0, 1.0)], brush(Ink::HEAT5, 0.05));
            chart.lift();
            chart.cell([(0.0, 0.0), (1.0, 1.0)], brush(Ink::HEAT5, 0.05));
        });
        let cell = "<path d=\"M10 20h10v50h-10z\" class=\"f-heat5\" opacity=\".05\"/>";
        let dots = "<path d=\"M20 70h0m.1-25h0m9.9 0h0\" class=\"s-ok\" stroke-width=\"3\" stroke-linecap=\"round\"/>";
        let cross = "<path d=\"M28 43l4 4m0-4l-4 4\" class=\"s-unknown\" stroke-width=\"1\"/>";
        assert_eq!(path, format!("{dots}{cross}{cell}{cell}"));
    }

    #[test]
    fn what_lies_outside_stands_at_the_edge() {
        let odd = [(f64::NAN, f64::INFINITY), (-1e300, f64::NEG_INFINITY), (11.0, 0.5)];
        let line = drawn(|chart| chart.line(odd, pen(Ink::OK, 1.0)));
        assert_eq!(line, "<path d=\"M10 20v50l100-25\" class=\"s-ok\" stroke-width=\"1\"/>");
        assert_eq!(drawn(|chart| chart.line([], pen(Ink::OK, 1.0))), "");
    }

    #[test]
    fn every_range_is_finite_and_has_a_length() {
        let odd: [&[f64]; 7] = [
            &[],
            &[f64::NAN, f64::INFINITY],
            &[3.0],
            &[f64::MAX, f64::MIN],
            &[f64::MAX],
            &[1.0, f64::NAN, 4.0],
            &[f64::MIN_POSITIVE, 0.0],
        ];
        for numbers in odd {
            let range = finite_range(numbers.iter().copied());
            assert!(range.start.is_finite() && range.end.is_finite(), "{range:?}");
            assert!((range.end - range.start).is_finite() && range.start <= range.end, "{range:?}");
        }
        assert_eq!(finite_range([1.0, f64::NAN, 4.0]), 1.0..4.0);
        assert_eq!(finite_range([3.0]), 2.5..3.5);
    }

    #[test]
    fn text_and_shapes_of_plotters_find_their_inks() {
        let mut svg = Svg::new();
        let mut backend = Backend { svg: &mut svg, size: (1000, 1000), run: None };
        let style = plotters::style::TextStyle::from(("sans-serif", 110)).color(&Ink::MUTED);
        let Ok(()) = backend.draw_text("10 %", &style, (105, 200)) else { panic!("it draws") };
        let Ok(()) = backend.draw_circle((100, 100), 50, &pen(Ink::BAD, 1.0), false) else { panic!("it draws") };
        drop(backend);
        let text = "<text x=\"10.5\" y=\"20\" class=\"f-muted small\">10 %</text>";
        let circle = "<path d=\"M5 10a5 5 0 0 1 10 0a5 5 0 0 1-10 0\" class=\"s-bad\" stroke-width=\"1\"/>";
        assert_eq!(svg.into_text(), format!("{text}{circle}"));
    }
}
