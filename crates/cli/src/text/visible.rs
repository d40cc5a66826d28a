//! Text of others made safe to print, and the columns it takes. What counts as hidden is told in `footplate_progress::line`.

/// One line: control, bidirectional and other invisible characters are shown as what they are (`␛`, `<U+202E>`).
#[must_use]
pub fn visible(text: &str) -> String {
    footplate_progress::line::visible(text).replace('\t', " ")
}

/// Several lines, each made safe, indented by so many spaces.
#[must_use]
pub fn visible_lines(text: &str, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let one = |line: &str| if line.trim().is_empty() { "\n".to_owned() } else { format!("{pad}{}\n", visible(line)) };
    text.lines().map(one).collect()
}

/// Columns that a text without escapes takes; two for East Asian wide characters and emoji, none for combining marks.
/// Source: the wide ranges of Unicode's EastAsianWidth.txt, by block.
#[must_use]
pub fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

fn char_width(c: char) -> usize {
    match c {
        '\u{300}'..='\u{36f}' | '\u{200c}' | '\u{200d}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// The text cut to so many columns, with `…` where something was cut.
#[must_use]
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let next = char_width(c);
        if used + next + 1 > columns {
            break;
        }
        used += next;
        out.push(c);
    }
    out.push('…');
    out
}
