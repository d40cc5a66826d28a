//! Expressions: how they are set up, and what they refer to, found in the syntax tree before anything runs.
//!
//! Not here: values (see `render`) and whether a name exists (see `check`).

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, Stmt};
use minijinja::machinery::{parse, parse_expr};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};

/// Steps that one expression may take.
const FUEL: u64 = 200_000;
/// Characters that `range(..)` and the like must not turn into more text than a command line can hold.
pub(crate) const LONGEST: usize = 1 << 20;
/// The names at the root of the scope.
pub(crate) const ROOTS: &[&str] = &["params", "run", "pipeline", "stages", "attempt", "checkpoint", "queue"];

/// `{# #}` is plain text: the comment marks are moved to where nobody can type them.
fn syntax() -> SyntaxConfig {
    SyntaxConfig::builder()
        .comment_delimiters("\u{0}{#", "#}\u{0}")
        .keep_trailing_newline(true)
        .build()
        .unwrap_or_default()
}

/// Does the text hold an expression at all?
pub(crate) fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// What every expression is compiled and run with.
pub(crate) fn environment<'s>() -> Environment<'s> {
    let mut environment = Environment::new();
    environment.set_syntax(syntax());
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_debug(false);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    // `debug` prints the whole scope, secrets too; the others make nothing that a command needs.
    for name in ["debug", "namespace", "dict"] {
        environment.remove_global(name);
    }
    for name in ["attr", "safe", "escape", "e", "pprint", "format"] {
        environment.remove_filter(name);
    }
    environment.add_filter("string", |value: Value| written(&value));
    environment.add_filter("tojson", |value: Value| json(&value));
    environment.add_filter("quote", |value: Value| written(&value).map(|text| quoted(&text)));
    environment.add_filter("join", |values: Value, between: Option<String>| -> Result<String, Error> {
        let parts: Vec<String> = values.try_iter()?.map(|part| written(&part)).collect::<Result<_, _>>()?;
        Ok(parts.join(&between.unwrap_or_default()))
    });
    environment.set_formatter(|out, _, value| {
        if value.is_undefined() {
            return Ok(()); // the missing `else` of an inline `if`
        }
        out.write_str(&written(value)?).map_err(Error::from)
    });
    environment
}

/// A value as it stands in an argument: text as it is, all else as compact JSON.
pub(crate) fn written(value: &Value) -> Result<String, Error> {
    match value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None if value.is_undefined() => Err(Error::from(ErrorKind::UndefinedError)),
        None => json(value),
    }
}

fn json(value: &Value) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
}

/// Text as one word of a POSIX shell.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./=:,@%+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// What an expression or a text with expressions refers to.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    /// Dotted paths from the root of the scope, list indexes as decimal numbers: `["stages", "train", "outputs", "model"]`.
    pub(crate) paths: Vec<Vec<String>>,
    /// Sentences about what is not allowed, with a hint.
    pub(crate) faults: Vec<(String, Option<String>)>,
    /// Names bound inside, by `for` and `set`.
    locals: Vec<String>,
    /// The text is one `{{ .. }}` and nothing else.
    pub(crate) single: bool,
}

/// What a text with `{{ .. }}` refers to.
///
/// # Errors
/// The parser's sentence where it is no good.
pub(crate) fn uses(text: &str) -> Result<Uses, String> {
    let mut uses = Uses::default();
    if !is_template(text) {
        return Ok(uses);
    }
    let tree = parse(text, "text", syntax()).map_err(|error| sentence(&error))?;
    if let Stmt::Template(root) = &tree {
        uses.single = matches!(root.children.as_slice(), [Stmt::EmitExpr(_)]);
    }
    uses.statement(&tree);
    uses.paths.sort();
    uses.paths.dedup();
    Ok(uses)
}

/// What a bare expression refers to.
///
/// # Errors
/// The parser's sentence where it is no good.
pub(crate) fn uses_bare(expression: &str) -> Result<Uses, String> {
    let mut uses = Uses::default();
    let tree = parse_expr(expression).map_err(|error| sentence(&error))?;
    uses.expression(&tree);
    uses.paths.sort();
    uses.paths.dedup();
    Ok(uses)
}

/// An error of minijinja in one sentence, without the name of its "template".
pub(crate) fn sentence(error: &Error) -> String {
    let mut text = match error.detail() {
        Some(detail) => detail.to_owned(),
        None => error.kind().to_string(),
    };
    if error.kind() == ErrorKind::OutOfFuel {
        text = format!("it takes more than {FUEL} steps");
    }
    text
}

impl Uses {
    fn statements(&mut self, list: &[Stmt<'_>]) {
        for statement in list {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Stmt<'_>) {
        match statement {
            Stmt::Template(s) => self.statements(&s.children),
            Stmt::EmitExpr(s) => self.expression(&s.expr),
            Stmt::EmitRaw(_) => {}
            Stmt::ForLoop(s) => {
                self.expression(&s.iter);
                self.bind(&s.target);
                self.locals.push("loop".to_owned());
                self.maybe(s.filter_expr.as_ref());
                self.statements(&s.body);
                self.statements(&s.else_body);
            }
            Stmt::IfCond(s) => {
                self.expression(&s.expr);
                self.statements(&s.true_body);
                self.statements(&s.false_body);
            }
            Stmt::WithBlock(s) => {
                for (target, value) in &s.assignments {
                    self.expression(value);
                    self.bind(target);
                }
                self.statements(&s.body);
            }
            Stmt::Set(s) => {
                self.expression(&s.expr);
                self.bind(&s.target);
            }
            Stmt::SetBlock(s) => {
                self.bind(&s.target);
                self.maybe(s.filter.as_ref());
                self.statements(&s.body);
            }
            Stmt::AutoEscape(s) => {
                self.expression(&s.enabled);
                self.statements(&s.body);
            }
            Stmt::FilterBlock(s) => {
                self.expression(&s.filter);
                self.statements(&s.body);
            }
            Stmt::Do(s) => {
                self.faults.push(("{% do %} does nothing here".to_owned(), None));
                self.arguments(&s.call.args);
            }
        }
    }

    fn bind(&mut self, target: &Expr<'_>) {
        match target {
            Expr::Var(name) => {
                if ROOTS.contains(&name.id) {
                    self.faults.push((format!("\"{}\" cannot be given another meaning", name.id), None));
                }
                self.locals.push(name.id.to_owned());
            }
            Expr::List(list) => list.items.iter().for_each(|item| self.bind(item)),
            Expr::Tuple(list) => list.items.iter().for_each(|item| self.bind(item)),
            other => self.expression(other),
        }
    }

    fn maybe(&mut self, expression: Option<&Expr<'_>>) {
        if let Some(expression) = expression {
            self.expression(expression);
        }
    }

    fn arguments(&mut self, list: &[CallArg<'_>]) {
        for argument in list {
            match argument {
                CallArg::Pos(e) | CallArg::Kwarg(_, e) | CallArg::PosSplat(e) | CallArg::KwargSplat(e) => {
                    self.expression(e);
                }
            }
        }
    }

    fn expression(&mut self, expression: &Expr<'_>) {
        if let Some(path) = self.path(expression) {
            self.paths.push(path);
            return;
        }
        match expression {
            Expr::Var(_) | Expr::Const(_) => {}
            Expr::Slice(e) => {
                self.expression(&e.expr);
                for part in [&e.start, &e.stop, &e.step] {
                    self.maybe(part.as_ref());
                }
            }
            Expr::UnaryOp(e) => self.expression(&e.expr),
            Expr::BinOp(e) => {
                if matches!(e.op, BinOpKind::Concat) {
                    // It would write `True` for true, against the rule that all but text is JSON.
                    let hint = "write the parts one after another, {{ a }}{{ b }}, or + between texts";
                    self.faults.push(("the operator ~ is not used here".to_owned(), Some(hint.to_owned())));
                }
                self.expression(&e.left);
                self.expression(&e.right);
            }
            Expr::Compare(e) => {
                self.expression(&e.expr);
                e.ops.iter().for_each(|op| self.expression(&op.expr));
            }
            Expr::IfExpr(e) => {
                self.expression(&e.test_expr);
                self.expression(&e.true_expr);
                self.maybe(e.false_expr.as_ref());
            }
            Expr::Filter(e) => {
                self.there(e.name, "filter", FILTERS);
                self.maybe(e.expr.as_ref());
                self.arguments(&e.args);
            }
            Expr::Test(e) => {
                self.there(e.name, "test", TESTS);
                self.expression(&e.expr);
                self.arguments(&e.args);
            }
            Expr::GetAttr(e) => self.expression(&e.expr),
            Expr::GetItem(e) => {
                self.expression(&e.expr);
                self.expression(&e.subscript_expr);
            }
            Expr::Call(e) => {
                match &e.expr {
                    Expr::Var(name) if name.id == "range" => {}
                    Expr::Var(name) => self.faults.push((
                        format!("there is no function \"{}\"", name.id),
                        Some("the only function is range".to_owned()),
                    )),
                    other => {
                        self.faults.push((
                            "values have no methods".to_owned(),
                            Some("use a filter, for example {{ params.name | upper }}".to_owned()),
                        ));
                        self.expression(other);
                    }
                }
                self.arguments(&e.args);
            }
            Expr::List(e) => e.items.iter().for_each(|item| self.expression(item)),
            Expr::Tuple(e) => e.items.iter().for_each(|item| self.expression(item)),
            Expr::Map(e) => e.keys.iter().chain(&e.values).for_each(|part| self.expression(part)),
        }
    }

    /// Filters and tests are looked up when they run; here it is known before.
    fn there(&mut self, name: &str, kind: &str, known: &[&str]) {
        if !known.contains(&name) {
            let hint = crate::problem::nearest(name, known.iter().copied())
                .map_or_else(|| format!("known: {}", known.join(", ")), |near| format!("did you mean \"{near}\"?"));
            self.faults.push((format!("there is no {kind} \"{name}\""), Some(hint)));
        }
    }

    /// The dotted path of an expression that is nothing else. It ends at the first part that is not known before it runs.
    fn path(&self, expression: &Expr<'_>) -> Option<Vec<String>> {
        match expression {
            Expr::Var(name) if self.locals.iter().any(|local| local == name.id) => None,
            Expr::Var(name) => Some(vec![name.id.to_owned()]),
            Expr::GetAttr(e) => {
                let mut path = self.path(&e.expr)?;
                path.push(e.name.to_owned());
                Some(path)
            }
            Expr::GetItem(e) => {
                let Expr::Const(key) = &e.subscript_expr else { return None };
                let mut path = self.path(&e.expr)?;
                match key.value.kind() {
                    ValueKind::String => path.push(key.value.as_str()?.to_owned()),
                    ValueKind::Number => path.push(key.value.as_i64()?.to_string()),
                    _ => return None,
                }
                Some(path)
            }
            _ => None,
        }
    }
}

/// The filters there are; a test holds this list against the engine of expressions.
pub(crate) const FILTERS: &[&str] = &[
    "abs",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "default",
    "dictsort",
    "first",
    "float",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "quote",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
    "zip",
];

/// The tests there are (`x is defined`).
pub(crate) const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "even",
    "false",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "int",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sameas",
    "sequence",
    "startingwith",
    "string",
    "true",
    "undefined",
    "upper",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_and_test_that_is_allowed_is_there() {
        let environment = environment();
        let there = |expression: String| {
            let compiled = environment.compile_expression_owned(expression).unwrap();
            compiled.eval(()).unwrap().is_true()
        };
        for name in FILTERS {
            assert!(there(format!("'{name}' is filter")), "{name}");
        }
        for name in TESTS {
            assert!(there(format!("'{name}' is test")), "{name}");
        }
        for name in ["attr", "safe", "escape", "pprint", "format"] {
            assert!(!there(format!("'{name}' is filter")), "{name}");
        }
    }

    #[test]
    fn references_are_found_wherever_they_stand() {
        let text = "{{ a.b[0]['c d'] }}{% for x in y.z %}{{ x.q }}{{ loop.index }}{% else %}{{ e }}{% endfor %}\
                    {% with w = v.u %}{{ w }}{% endwith %}{% set s = t %}{{ s.s }}{{ f(g) if h else i[j] }}{{ k | replace(l, m) }}";
        let found: Vec<String> = uses(text).unwrap().paths.iter().map(|path| path.join(".")).collect();
        assert_eq!(found, ["a.b.0.c d", "e", "g", "h", "i", "j", "k", "l", "m", "t", "v.u", "y.z"]);
        assert!(uses("{{ x }}").unwrap().single);
        assert!(!uses(" {{ x }}").unwrap().single);
        assert!(!uses("{{ x }}{{ y }}").unwrap().single);
    }
}
