//! The rows of a file, and what is wrong with them. Pure.

use serde::de::IgnoredAny;
use serde_json::Value;

use super::{COLUMNS, Content, FAULTS, Format, LineFault, ROWS, Wrong, cut};

/// Reads what there is of a file; `whole`: it is all of it, else its last line is left out.
pub(super) fn read(name: &str, format: Format, bytes: &[u8], whole: bool) -> Content {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let bytes = match bytes.iter().rposition(|byte| *byte == b'\n') {
        Some(end) if !whole => &bytes[..=end],
        _ => bytes,
    };
    let mut content = Content {
        name: name.to_owned(),
        format,
        rows: 0,
        whole,
        columns: Vec::new(),
        preview: Vec::new(),
        faults: Vec::new(),
        faults_total: 0,
    };
    match format {
        Format::Jsonl => jsonl(&mut content, bytes),
        Format::Json => json(&mut content, bytes),
        Format::Csv => table(&mut content, bytes, b','),
        Format::Tsv => table(&mut content, bytes, b'\t'),
        Format::Text => text(&mut content, bytes),
    }
    content
}

impl Content {
    fn wrong(&mut self, line: u64, wrong: Wrong) {
        self.faults_total += 1;
        if self.faults.len() < FAULTS {
            self.faults.push(LineFault { line, wrong });
        }
    }

    fn show(&mut self, row: impl FnOnce() -> Vec<String>) {
        self.rows += 1;
        if self.preview.len() < ROWS {
            self.preview.push(row());
        }
    }
}

/// Lines with their numbers, without their ends; blank ones are left out.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    (1..).zip(bytes.split(|byte| *byte == b'\n')).filter(|(_, line)| !line.trim_ascii().is_empty())
}

fn text(content: &mut Content, bytes: &[u8]) {
    for (number, line) in lines(bytes) {
        content.show(|| vec![cut(String::from_utf8_lossy(line).trim_end())]);
        if std::str::from_utf8(line).is_err() {
            content.wrong(number, Wrong::NotUtf8);
        }
    }
}

fn jsonl(content: &mut Content, bytes: &[u8]) {
    for (number, line) in lines(bytes) {
        let fault = match std::str::from_utf8(line) {
            Err(_) => Some(Wrong::NotUtf8),
            Ok(line) => serde_json::from_str::<IgnoredAny>(line).err().map(|_| Wrong::NotJson),
        };
        let good = fault.is_none();
        if let Some(fault) = fault {
            content.wrong(number, fault);
        }
        if content.columns.is_empty() && content.rows == 0 && good {
            content.columns = keys(line);
        }
        let columns = content.columns.clone();
        content.show(|| row(line, &columns));
    }
}

fn keys(line: &[u8]) -> Vec<String> {
    match serde_json::from_slice(line) {
        Ok(Value::Object(fields)) => fields.keys().take(COLUMNS).cloned().collect(),
        _ => Vec::new(),
    }
}

/// The values of the columns; the line itself where it is no object, or none like the first.
fn row(line: &[u8], columns: &[String]) -> Vec<String> {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match serde_json::from_slice::<Value>(line) {
        Ok(Value::Object(fields)) if !columns.is_empty() => {
            columns.iter().map(|name| fields.get(name).map(|value| cut(&plain(value))).unwrap_or_default()).collect()
        }
        _ => vec![cut(String::from_utf8_lossy(line).trim_end())],
    }
}

fn json(content: &mut Content, bytes: &[u8]) {
    // Half a value is no fault of the file.
    if !content.whole {
        return;
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        let before = bytes.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len());
        let line = bytes[..before].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        return content.wrong(line, Wrong::NotUtf8);
    };
    match serde_json::from_str::<Value>(text) {
        Err(error) => content.wrong(error.line() as u64, Wrong::NotJson),
        Ok(Value::Array(items)) => {
            for item in &items {
                let line = item.to_string();
                if content.rows == 0 {
                    content.columns = keys(line.as_bytes());
                }
                let columns = content.columns.clone();
                content.show(|| row(line.as_bytes(), &columns));
            }
        }
        Ok(value) => content.show(|| vec![cut(&value.to_string())]),
    }
}

fn table(content: &mut Content, bytes: &[u8], delimiter: u8) {
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(bytes);
    let mut record = csv::ByteRecord::new();
    let mut expected = None;
    // The reader fails on I/O and on numbers of columns only; neither can happen here.
    while let Ok(true) = reader.read_byte_record(&mut record) {
        let line = record.position().map_or(0, csv::Position::line);
        let cells = |record: &csv::ByteRecord| -> Vec<String> {
            record.iter().take(COLUMNS).map(|cell| cut(&String::from_utf8_lossy(cell))).collect()
        };
        if record.iter().any(|cell| std::str::from_utf8(cell).is_err()) {
            content.wrong(line, Wrong::NotUtf8);
        }
        let Some(expected) = expected else {
            expected = Some(record.len());
            content.columns = cells(&record);
            continue;
        };
        if record.len() != expected {
            content.wrong(line, Wrong::Columns { found: record.len(), expected });
        }
        content.show(|| cells(&record));
    }
}
