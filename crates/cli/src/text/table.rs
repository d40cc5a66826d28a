//! Aligned columns.

use super::colour::Colour;
use super::visible::{cut, visible, width};

/// Where a column's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// One cell: text made safe, and its colour.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Cell {
    text: String,
    colour: Option<Colour>,
}

impl Cell {
    /// A cell; what the terminal would obey is shown instead.
    #[must_use]
    pub fn new(text: impl AsRef<str>) -> Cell {
        Cell { text: visible(text.as_ref()), colour: None }
    }

    /// In a colour.
    #[must_use]
    pub fn colour(mut self, colour: Colour) -> Cell {
        self.colour = Some(colour);
        self
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell::new(text)
    }
}

/// Rows under heads. A column without any text is left out.
#[derive(Clone, Debug)]
pub struct Table {
    heads: Vec<(String, Align)>,
    rows: Vec<Vec<Cell>>,
    flexible: Vec<usize>,
    optional: Vec<usize>,
}

const LEAST_FLEXIBLE: usize = 16;

impl Table {
    /// A table with these columns.
    #[must_use]
    pub fn new(heads: &[(&str, Align)]) -> Table {
        let heads = heads.iter().map(|(head, align)| (visible(head), *align)).collect();
        Table { heads, rows: Vec::new(), flexible: Vec::new(), optional: Vec::new() }
    }

    /// The columns whose texts are cut where the terminal is narrow, the first of them first.
    #[must_use]
    pub fn flexible(mut self, columns: &[usize]) -> Table {
        self.flexible = columns.to_vec();
        self
    }

    /// The columns that are left out where cutting is not enough, the first of them first.
    #[must_use]
    pub fn optional(mut self, columns: &[usize]) -> Table {
        self.optional = columns.to_vec();
        self
    }

    /// Makes the widths fit, as far as they may give way.
    fn fit(&self, widths: &mut [usize], columns: usize) {
        let total = |widths: &[usize]| {
            let shown = widths.iter().filter(|w| **w > 0).count();
            widths.iter().sum::<usize>() + 2 * shown.saturating_sub(1)
        };
        let least = |at: usize, width: usize| match self.flexible.contains(&at) {
            true => width.min(LEAST_FLEXIBLE),
            false => width,
        };
        for at in &self.optional {
            let cut: Vec<usize> = widths.iter().enumerate().map(|(at, width)| least(at, *width)).collect();
            if total(&cut) > columns {
                widths[*at] = 0;
            }
        }
        for at in &self.flexible {
            let over = total(widths).saturating_sub(columns);
            widths[*at] = widths[*at].saturating_sub(over).max(least(*at, widths[*at]));
        }
    }

    /// Adds a row; cells that are missing are empty.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// True where there is nothing to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The text, each line ended by `\n`. `columns`: the terminal's width, where there is one.
    #[must_use]
    pub fn render(&self, colours: bool, columns: Option<usize>) -> String {
        let empty = Cell::default();
        let cell = |row: &'_ [Cell], at: usize| -> Cell { row.get(at).unwrap_or(&empty).clone() };
        let mut widths: Vec<usize> = Vec::with_capacity(self.heads.len());
        for (at, (head, _)) in self.heads.iter().enumerate() {
            let widest = self.rows.iter().map(|row| width(&cell(row, at).text)).max().unwrap_or(0);
            widths.push(if widest == 0 { 0 } else { widest.max(width(head)) });
        }
        if let Some(columns) = columns {
            self.fit(&mut widths, columns);
        }
        let mut out = String::new();
        let heads: Vec<Cell> = self.heads.iter().map(|(h, _)| Cell::new(h).colour(Colour::Dim)).collect();
        for row in std::iter::once(&heads).chain(&self.rows) {
            let mut line = String::new();
            let mut pending = 0;
            for (at, (_, align)) in self.heads.iter().enumerate() {
                if widths[at] == 0 {
                    continue;
                }
                let cell = cell(row, at);
                let text = cut(&cell.text, widths[at]);
                let gap = widths[at] - width(&text);
                if *align == Align::Right {
                    pending += gap;
                }
                if !text.is_empty() {
                    line.extend(std::iter::repeat_n(' ', pending));
                    pending = 0;
                    line.push_str(&cell.colour.map_or_else(|| text.clone(), |c| c.paint(&text, colours)));
                }
                if *align == Align::Left {
                    pending += gap;
                }
                pending += 2;
            }
            out.push_str(&line);
            out.push('\n');
        }
        out
    }
}

/// `name  value` lines, the names padded to one width.
#[must_use]
pub fn pairs(lines: &[(&str, String)], colours: bool) -> String {
    let widest = lines.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    let mut out = String::new();
    for (name, value) in lines {
        let gap = widest - width(name);
        out.push_str(&Colour::Dim.paint(name, colours));
        out.extend(std::iter::repeat_n(' ', gap + 2));
        out.push_str(value);
        out.push('\n');
    }
    out
}
