//! The members of a body, as serde reads them into a request.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::slice::Iter;

use serde::de::{DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::value::RawValue;

use super::check::Fault;
use crate::error::{ApiError, Reason};
use crate::http::known::unknown;

/// A body that passed every general check.
#[derive(Debug)]
pub struct Object<'t> {
    members: BTreeMap<Cow<'t, str>, &'t RawValue>,
    /// Members that the resource shows. They may be there, and have no effect.
    shown: &'t [String],
}

impl<'t> Object<'t> {
    pub(super) fn new(shown: &'t [String]) -> Object<'t> {
        Object {
            members: BTreeMap::new(),
            shown,
        }
    }

    pub(super) fn add(&mut self, name: Cow<'t, str>, value: &'t RawValue) -> Result<(), ApiError> {
        if self.members.contains_key(&name) {
            return Err(Fault::Duplicate.into_error().field_as_sent(&name));
        }
        self.members.insert(name, value);
        Ok(())
    }

    /// Checks that every member is one that is asked for, or one that the resource shows.
    ///
    /// # Errors
    /// 400 `unknown_member` for the first that is not.
    pub fn knows(&self, fields: &[&str]) -> Result<(), ApiError> {
        let is_known = |name: &str| fields.contains(&name) || self.shown.iter().any(|s| s == name);
        match self.members.keys().find(|name| !is_known(name)) {
            None => Ok(()),
            Some(name) => Err(unknown(Reason::UnknownMember, name, fields, self.shown)),
        }
    }
}

impl<'de> Deserializer<'de> for Object<'de> {
    type Error = ApiError;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ApiError> {
        // The one place that knows both what was sent and what is asked for.
        self.knows(fields)?;
        visitor.visit_map(Asked {
            object: self,
            fields: fields.iter(),
            found: None,
        })
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ApiError> {
        unreachable!("a request is a struct")
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The members that a request asks for, in its order.
struct Asked<'t> {
    object: Object<'t>,
    fields: Iter<'static, &'static str>,
    found: Option<(&'static str, &'t RawValue)>,
}

impl<'t> MapAccess<'t> for Asked<'t> {
    type Error = ApiError;

    fn next_key_seed<K: DeserializeSeed<'t>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ApiError> {
        let members = &self.object.members;
        self.found = self
            .fields
            .find_map(|name| Some((*name, *members.get(*name)?)));
        let Some((name, _)) = self.found else {
            return Ok(None);
        };
        seed.deserialize(name.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'t>>(&mut self, seed: V) -> Result<V::Value, ApiError> {
        let (name, value) = self
            .found
            .take()
            .expect("a value is asked for after its name");
        seed.deserialize(value)
            .map_err(|error| ApiError::invalid(name, format!("`{name}` {error}")))
    }
}

/// What is wrong with a member is told without its name, which is put before it.
impl Error for ApiError {
    fn custom<T: Display>(message: T) -> ApiError {
        ApiError::new(Reason::InvalidRequest).message(message.to_string())
    }

    fn missing_field(name: &'static str) -> ApiError {
        ApiError::invalid(name, format!("`{name}` is required."))
    }
}
