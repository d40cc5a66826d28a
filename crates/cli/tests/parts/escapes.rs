//! What reaches a terminal, whatever others wrote: no control character but line feed, tab and SGR, nothing hidden, nothing that turns
//! the text around it.

use footplate_cli::text::table::pairs;
use footplate_cli::text::{Align, Cell, Colour, Table, cut, visible, visible_lines, when};
use footplate_progress::line::{Readable, ReadableOptions};
use proptest::collection::vec;
use proptest::prelude::*;

/// What a terminal would obey, or an eye would not see, with what stands before it. SGR is `ESC [ digits ; : m`.
fn harm(shown: &str) -> Option<String> {
    let mut rest = shown;
    while let Some(c) = rest.chars().next() {
        let sgr = rest.strip_prefix("\x1b[").and_then(|after| {
            let end = after.find(|c: char| !c.is_ascii_digit() && !";:".contains(c))?;
            after[end..].strip_prefix('m')
        });
        if let Some(after) = sgr {
            rest = after;
            continue;
        }
        let hidden = matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
        if hidden || (c.is_control() && !"\n\t".contains(c)) {
            return Some(format!("U+{:04X} before {:?}", u32::from(c), rest.chars().take(20).collect::<String>()));
        }
        rest = &rest[c.len_utf8()..];
    }
    None
}

/// Text of anybody, with more of what does harm than chance would give.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => any::<char>().prop_map(String::from),
        2 => "[ -~]{0,8}",
        2 => (0_u32..0x20).prop_map(|c| char::from_u32(c).unwrap().to_string()),
        2 => prop_oneof![0x80_u32..0xa0, 0x200b_u32..0x2010, 0x2028_u32..0x202f, 0x2060_u32..0x2070, Just(0x61c_u32), Just(0xfeff_u32), Just(0x7f_u32)]
            .prop_map(|c| char::from_u32(c).unwrap().to_string()),
        2 => prop_oneof![
            Just("\x1b[2J"), Just("\x1b]0;title\x07"), Just("\x1b]8;;http://x\x1b\\"), Just("\x1b[31m"), Just("\x1b[0m"), Just("\x1bc"),
            Just("\x1b["), Just("\x1b"), Just("\u{9b}31m"), Just("\x1bP+q\x1b\\"), Just("\x1b[1;1H"), Just("\x1b[?1049h"), Just("\r\n"),
            Just("\x1b[38;5;"), Just("2026-11-21T20:01:02.345Z")
        ].prop_map(String::from),
    ];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_text_of_others_reaches_a_terminal_as_more_than_text(texts in vec(text(), 1..6), columns in 40_usize..120) {
        let heads: Vec<(&str, Align)> = texts.iter().map(|text| (text.as_str(), Align::Left)).collect();
        let mut table = Table::new(&heads).flexible(&[0]).optional(&[1]);
        table.row(texts.iter().map(|text| Cell::new(text).colour(Colour::Red)).collect());
        for shown in [table.render(true, Some(columns)), table.render(false, None)] {
            prop_assert_eq!(harm(&shown), None);
            prop_assert_eq!(shown.lines().count(), 2, "no text begins a line: {:?}", shown);
        }
        for text in &texts {
            let one = visible(text);
            prop_assert_eq!(harm(&one), None);
            prop_assert!(!one.contains('\n') && !one.contains('\x1b'));
            for shown in [cut(&one, columns / 4), Colour::Green.paint(&one, true), when::local(&one), visible_lines(text, 3)] {
                prop_assert_eq!(harm(&shown), None);
            }
            let shown = pairs(&[("name", visible(text)), ("error", visible(&when::local(text)))], true);
            prop_assert_eq!(harm(&shown), None);
            prop_assert_eq!(shown.lines().count(), 2);
        }
    }

    #[test]
    fn no_output_of_a_program_reaches_a_terminal_as_more_than_text(
        texts in vec(text(), 1..12), bytes in vec(any::<u8>(), 0..64), cuts in vec(1_usize..40, 1..8), colour in any::<bool>(),
    ) {
        let mut whole: Vec<u8> = texts.iter().flat_map(|text| text.bytes().chain(*b"\n")).collect();
        whole.extend(&bytes);
        let mut reader = Readable::new(ReadableOptions { colour, ..ReadableOptions::default() });
        let mut shown = Vec::new();
        let mut each = |line: &footplate_progress::line::ReadableLine<'_>| shown.push(line.text.to_owned());
        let mut rest = whole.as_slice();
        for size in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (now, later) = rest.split_at(rest.len().min(*size));
            reader.feed(now, &mut each);
            rest = later;
        }
        reader.finish(&mut each);
        for line in shown {
            prop_assert_eq!(harm(&line), None);
            prop_assert!(!line.contains('\n') && (colour || !line.contains('\x1b')), "{:?}", line);
        }
    }
}

#[test]
fn what_does_harm_is_noticed() {
    for bad in ["\x1b[2J", "\x1b]0;x\x07", "\u{202e}x", "a\rb", "\x1b[31", "\u{9b}m", "\u{200b}"] {
        assert!(harm(bad).is_some(), "{bad:?}");
    }
    assert_eq!(harm("plain\ttext\n\x1b[1;31mred\x1b[0m 手書き"), None);
}
