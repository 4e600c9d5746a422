//! Whose clients read a format that several families share, each in a form of its own.

/// The form of a client. What differs is a record of the format's module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientForm {
    /// As the format's own provider has it.
    #[default]
    Plain,
    /// Mistral's.
    Mistral,
    /// Voyage's.
    Voyage,
}
