//! The names a file uses from others: `use` items, inline paths, and the paths inside macros and attributes. Test code
//! does not count.

use std::collections::BTreeMap;

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItemFn, Item, ItemUse, Meta, Token, UseTree, Visibility};

/// The place of a module in its crate; the root's is empty.
pub(super) type Place = Vec<String>;

/// What was read from a file.
#[derive(Default)]
pub(super) struct Read {
    /// Its own module and those inside it.
    pub(super) modules: BTreeMap<Place, Module>,
    /// Modules that are compiled for tests only, here or in files of their own.
    pub(super) tests: Vec<Place>,
}

#[derive(Default)]
pub(super) struct Module {
    pub(super) file: String,
    pub(super) uses: Vec<Use>,
    pub(super) paths: Vec<Written>,
}

/// A path as written.
pub(super) struct Written {
    pub(super) words: Vec<String>,
    pub(super) line: usize,
}

pub(super) struct Use {
    pub(super) written: Written,
    /// Its name in this file; a glob has none.
    pub(super) name: Option<String>,
    pub(super) exported: bool,
}

/// Reads the file of the module at `place`.
pub(super) fn read(path: &str, text: &str, place: Place) -> syn::Result<Read> {
    let file = syn::parse_file(text)?;
    let mut reader = Reader { path, place, read: Read::default() };
    if is_test(&file.attrs) {
        reader.read.tests.push(reader.place);
    } else {
        reader.module(&file.items);
    }
    Ok(reader.read)
}

impl Written {
    fn of<'i>(path: impl Iterator<Item = &'i Ident>) -> Option<Self> {
        let mut path = path.peekable();
        let line = path.peek()?.span().start().line;
        Some(Self { words: path.map(ToString::to_string).collect(), line })
    }
}

/// Collects the names used in one file.
struct Reader<'a> {
    path: &'a str,
    /// The module being read, including inline modules.
    place: Place,
    read: Read,
}

impl Reader<'_> {
    fn module(&mut self, items: &[Item]) {
        self.here().file = self.path.to_owned();
        for item in items {
            self.visit_item(item);
        }
    }

    fn here(&mut self) -> &mut Module {
        self.read.modules.entry(self.place.clone()).or_default()
    }

    fn note<'i>(&mut self, path: impl Iterator<Item = &'i Ident>) {
        if let Some(written) = Written::of(path) {
            self.here().paths.push(written);
        }
    }

    fn import(&mut self, tree: &UseTree, before: &[&Ident], exported: bool) {
        let (last, name) = match tree {
            UseTree::Path(path) => {
                return self.import(&path.tree, &[before, &[&path.ident]].concat(), exported);
            }
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.import(tree, before, exported));
            }
            UseTree::Name(name) => (Some(&name.ident), Some(&name.ident)),
            UseTree::Rename(rename) => (Some(&rename.ident), Some(&rename.rename)),
            UseTree::Glob(_) => (None, None),
        };
        // `use a::{self}` means `a`, by its own name.
        let is_self = !before.is_empty() && last.is_some_and(|last| last == "self");
        let path = [before, last.filter(|_| !is_self).as_slice()].concat();
        let name = name.map(|name| if name == "self" { path[path.len() - 1] } else { name });
        let name = name.map(ToString::to_string);
        if let Some(written) = Written::of(path.into_iter()) {
            self.here().uses.push(Use { written, name, exported });
        }
    }

    fn scan(&mut self, tokens: TokenStream) {
        let mut path: Vec<Ident> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                TokenTree::Ident(word) => {
                    if colons != 2 {
                        self.note(std::mem::take(&mut path).iter());
                    }
                    colons = 0;
                    path.push(word);
                }
                other => {
                    self.note(std::mem::take(&mut path).iter());
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.scan(group.stream());
                    }
                }
            }
        }
        self.note(path.iter());
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let test = is_test(attributes(item));
        let Item::Mod(module) = item else {
            if !test {
                visit::visit_item(self, item);
            }
            return;
        };
        self.place.push(module.ident.to_string());
        match &module.content {
            _ if test => self.read.tests.push(self.place.clone()),
            Some((_, items)) => self.module(items),
            None => {}
        }
        self.place.pop();
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none() {
            self.import(&item.tree, &[], !matches!(item.vis, Visibility::Inherited));
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            self.note(path.segments.iter().map(|segment| &segment.ident));
        }
        visit::visit_path(self, path);
    }

    /// The arguments of a macro or an attribute: there is no syntax tree, but paths look the same.
    fn visit_token_stream(&mut self, tokens: &'ast TokenStream) {
        self.scan(tokens.clone());
    }
}

/// Whether `#[cfg(test)]` or `#[cfg(all(test, …))]` is among them.
fn is_test(attributes: &[Attribute]) -> bool {
    fn names_test(meta: &Meta) -> bool {
        let Meta::List(list) = meta else { return meta.path().is_ident("test") };
        let every = list.path.is_ident("cfg") || list.path.is_ident("all");
        let inner = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
        every && inner.is_ok_and(|inner| inner.iter().any(names_test))
    }
    attributes.iter().any(|attribute| names_test(&attribute.meta))
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
