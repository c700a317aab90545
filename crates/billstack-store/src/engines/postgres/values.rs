//! Values and rows of the seam in PostgreSQL's protocol.

use tokio_postgres::Row as PostgresRow;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::seam::{Fault, Row, Val};

/// A value that knows which type it is bound as, where no prepared statement tells.
pub(super) trait Typed {
    /// That type. PostgreSQL finds out by itself what a null is.
    fn bound_as(&self) -> Type;
}

impl Typed for Val<'_> {
    fn bound_as(&self) -> Type {
        match self {
            Val::Int(_) => Type::INT8,
            Val::Text(_) => Type::TEXT,
            Val::Bool(_) => Type::BOOL,
            Val::Null => Type::UNKNOWN,
        }
    }
}

impl Typed for Owned {
    fn bound_as(&self) -> Type {
        match self {
            Owned::Int(_) => Type::INT8,
            Owned::Text(_) => Type::TEXT,
            Owned::Bool(_) => Type::BOOL,
            Owned::Null => Type::UNKNOWN,
            Owned::Ints(_) => Type::INT8_ARRAY,
        }
    }
}

impl ToSql for Val<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Val::Int(number) if *ty == Type::INT8 => number.to_sql(ty, out),
            Val::Text(text) if *ty == Type::TEXT => text.to_sql(ty, out),
            Val::Bool(flag) if *ty == Type::BOOL => flag.to_sql(ty, out),
            Val::Null => Ok(IsNull::Yes),
            other => Err(format!("{other:?} cannot be bound where {ty} is taken").into()),
        }
    }

    fn accepts(ty: &Type) -> bool {
        [Type::INT8, Type::TEXT, Type::BOOL, Type::UNKNOWN].contains(ty)
    }

    to_sql_checked!();
}

/// A value that outlives the call that bound it, for a statement that is sent later.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Owned {
    Int(i64),
    Text(String),
    Bool(bool),
    Null,
    /// An array of integers; only the engine itself binds one.
    Ints(Vec<i64>),
}

impl From<&Val<'_>> for Owned {
    fn from(value: &Val<'_>) -> Owned {
        match *value {
            Val::Int(number) => Owned::Int(number),
            Val::Text(text) => Owned::Text(text.to_owned()),
            Val::Bool(flag) => Owned::Bool(flag),
            Val::Null => Owned::Null,
        }
    }
}

impl ToSql for Owned {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        let value = match self {
            Owned::Ints(numbers) if *ty == Type::INT8_ARRAY => return numbers.to_sql(ty, out),
            Owned::Ints(_) => return Err(format!("an array cannot be bound as {ty}").into()),
            Owned::Int(number) => Val::Int(*number),
            Owned::Text(text) => Val::Text(text),
            Owned::Bool(flag) => Val::Bool(*flag),
            Owned::Null => Val::Null,
        };
        value.to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::INT8_ARRAY || <Val<'_> as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

impl Row for PostgresRow {
    fn opt_int(&self, column: usize) -> Result<Option<i64>, Fault> {
        self.try_get(column).map_err(|_| Fault::decode(column))
    }

    fn opt_text(&self, column: usize) -> Result<Option<&str>, Fault> {
        self.try_get(column).map_err(|_| Fault::decode(column))
    }

    fn opt_flag(&self, column: usize) -> Result<Option<bool>, Fault> {
        self.try_get(column).map_err(|_| Fault::decode(column))
    }
}
