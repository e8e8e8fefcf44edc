//! Drawing: inks, the elements of an SVG, and figures made of them.

pub mod backend;
pub mod ink;
pub mod measure;
pub mod svg;

use ink::Ink;
use svg::escaped;

/// A drawing with its name and what it shows, for a page or a file of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The stem of its file, and its id within a page: letters and hyphens.
    pub name: String,
    /// What it is.
    pub title: String,
    /// What one sees in it, in words, for those who do not see it.
    pub description: String,
    /// In pixels; it grows and shrinks with the room there is.
    pub width: f64,
    /// In pixels.
    pub height: f64,
    /// Its elements, as [`svg::Svg`] writes them.
    pub elements: String,
}

/// How text and lines look in every figure, whatever their ink.
pub const STYLE: &str = "svg text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;stroke:none}\
    svg .small{font-size:11px}svg .large{font-size:14px}svg .bold{font-weight:600}\
    svg .mono{font-family:ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace}\
    svg path,svg line{fill:none}svg .solid{stroke:none}svg .thin{stroke-width:1}svg .dashed{stroke-dasharray:4 3}svg .dotted{stroke-dasharray:1 2}\
    svg .halo{stroke:var(--paper);stroke-width:3px;stroke-linejoin:round;paint-order:stroke}";

impl Figure {
    /// As an element of a page, which has the style sheet.
    pub fn inline(&self) -> String {
        self.written("")
    }

    /// As a file, which has to bring its own.
    pub fn file(&self) -> String {
        let style = format!(
            "<style>{}{STYLE}</style><rect width=\"100%\" height=\"100%\" class=\"f-{}\"/>",
            ink::css(),
            Ink::PAPER.name
        );
        self.written(&style) + "\n"
    }

    fn written(&self, style: &str) -> String {
        let Figure { name, width, height, elements, .. } = self;
        let (title, description) = (escaped(&self.title), escaped(&self.description));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{name}-title {name}-desc\">\
             <title id=\"{name}-title\">{title}</title><desc id=\"{name}-desc\">{description}</desc>{style}{elements}</svg>",
            svg::px(*width),
            svg::px(*height),
        )
    }
}
