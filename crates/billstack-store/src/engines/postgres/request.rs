//! What is sent to the server, and what comes back.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use futures_util::TryStreamExt;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row as PostgresRow, Statement};

use super::values::{Owned, Typed};
use crate::seam::Fault;
use crate::seam::tx::exactly_one;

/// Something to send.
pub(super) enum Request {
    /// A command without parameters or result.
    Command(&'static str),
    /// What a transaction in another's session begins with.
    Settings(Arc<str>),
    /// A statement that must change exactly one row.
    OneRow(String, Form, Vec<Owned>),
    /// A statement whose result nobody needs.
    Any(Form, Vec<Owned>),
    /// A query whose rows are wanted later.
    Ahead(String, Form, Vec<Owned>),
}

/// How a statement is sent.
#[derive(Clone)]
pub(super) enum Form {
    /// By the name under which our session knows it.
    Prepared(Statement),
    /// As its text, every time.
    Text(Arc<str>),
}

/// The answer to a query that was asked ahead.
pub(super) struct Early {
    pub(super) sql: String,
    pub(super) params: Vec<Owned>,
    pub(super) answer: Answer,
}

/// The result of a statement.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) rows: Vec<PostgresRow>,
    pub(super) changed: u64,
}

pub(super) type Asked<'a> = Pin<Box<dyn Future<Output = Result<Answer, Error>> + 'a>>;

impl Request {
    pub(super) fn ask<'a>(&'a self, client: &'a Client) -> Asked<'a> {
        match self {
            Request::Command(sql) => Box::pin(async {
                client.batch_execute(sql).await?;
                Ok(Answer::default())
            }),
            Request::Settings(sql) => Box::pin(async {
                client.batch_execute(sql).await?;
                Ok(Answer::default())
            }),
            Request::OneRow(_, statement, params)
            | Request::Any(statement, params)
            | Request::Ahead(_, statement, params) => Box::pin(ask(client, statement, params)),
        }
    }

    /// Checks its result, and keeps one that is wanted later.
    pub(super) fn check(self, answer: Answer) -> Result<Option<Early>, Fault> {
        match self {
            Request::OneRow(sql, _, _) => exactly_one(answer.changed, &sql).map(|()| None),
            Request::Command(_) | Request::Settings(_) | Request::Any(_, _) => Ok(None),
            Request::Ahead(sql, _, params) => Ok(Some(Early {
                sql,
                params,
                answer,
            })),
        }
    }
}

/// Runs a statement; the first poll sends it.
pub(super) async fn ask<P: ToSql + Typed + Sync>(
    client: &Client,
    form: &Form,
    params: &[P],
) -> Result<Answer, Error> {
    let values = params.iter().map(|value| value as &(dyn ToSql + Sync));
    let found = match form {
        Form::Prepared(statement) => client.query_raw(statement, values).await?,
        Form::Text(text) => {
            let typed = values.zip(params.iter().map(Typed::bound_as));
            client.query_typed_raw(text, typed).await?
        }
    };
    let mut found = std::pin::pin!(found);
    let mut rows = Vec::new();
    while let Some(row) = found.try_next().await? {
        rows.push(row);
    }
    let changed = found.rows_affected().unwrap_or(0);
    Ok(Answer { rows, changed })
}

/// All answers. Statements are sent in order, because they are polled in order.
pub(super) async fn all(mut asked: Vec<Asked<'_>>) -> Vec<Result<Answer, Error>> {
    let mut answers: Vec<Option<_>> = asked.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (asked, answer) in asked.iter_mut().zip(&mut answers) {
            if answer.is_none()
                && let Poll::Ready(done) = asked.as_mut().poll(context)
            {
                *answer = Some(done);
            }
        }
        if answers.iter().all(Option::is_some) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    answers.into_iter().flatten().collect()
}
