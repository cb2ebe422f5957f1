//! The writer's connection: made again where it broke, and never to another store than the first time.

use crate::StoreError;
use crate::audit::{self, Head};
use crate::db::{Connection, FileId, Mode, Place};
use crate::schema;

/// A connection that may be away.
pub(crate) struct Link {
    place: Place,
    /// Names the store; none where it was never there.
    chain: Option<String>,
    /// The file that is open.
    file: Option<FileId>,
    connection: Option<Connection>,
    /// Nothing was written over this connection yet.
    is_new: bool,
    was_set_back: Option<Head>,
}

impl Link {
    /// To a store that may be away. Nothing is connected yet.
    pub(crate) fn away(place: &Place) -> Self {
        Link {
            place: place.clone(),
            chain: None,
            file: None,
            connection: None,
            is_new: false,
            was_set_back: None,
        }
    }

    /// Opens a store to write: makes it where there is none, brings it forward where it is old.
    pub(crate) async fn open(place: &Place) -> Result<Self, StoreError> {
        let mut link = Link::away(place);
        let connection = link.first().await?;
        link.connection = Some(connection);
        Ok(link)
    }

    /// The connection; a new one where there is none.
    pub(crate) async fn connection(&mut self) -> Result<&mut Connection, StoreError> {
        // What is written to a file without a name is lost with the process.
        if self.place.file().is_some() && self.place.file_id() != self.file {
            self.connection = None;
        }
        let connection = match (self.connection.take(), self.chain.is_some()) {
            (Some(connection), _) => connection,
            (None, true) => self.again().await?,
            (None, false) => self.first().await.map_err(passing)?,
        };
        Ok(self.connection.insert(connection))
    }

    async fn first(&mut self) -> Result<Connection, StoreError> {
        let mut connection = self.place.connect(Mode::Create).await?;
        let known = schema::bring_forward(&mut connection).await?;
        connection.write_ahead().await?;
        self.file = self.place.file_id();
        self.chain = Some(known.chain);
        Ok(connection)
    }

    async fn again(&mut self) -> Result<Connection, StoreError> {
        let mut connection = self.place.connect(Mode::Write).await?;
        let file = self.place.file_id();
        let known = schema::look(&mut connection).await.map_err(passing)?;
        if self.chain.as_ref() != Some(&known.chain) {
            return Err(StoreError::Unavailable(
                "another store is where the store was at the start: put it back, or start the server anew".into(),
            ));
        }
        connection.write_ahead().await?;
        self.file = file;
        self.is_new = true;
        Ok(connection)
    }

    /// On a connection that was made anew: the end of the audit log, where it does not have `last` any more.
    pub(crate) async fn set_back(&mut self, last: &Head) -> Result<Option<Head>, StoreError> {
        self.was_set_back = match (&mut self.connection, self.is_new) {
            (Some(connection), true) => match audit::has(connection, last).await? {
                true => None,
                false => Some(audit::head(connection).await?),
            },
            _ => None,
        };
        Ok(self.was_set_back.clone())
    }

    /// The end of the audit log, once, where the last try found that it was set back.
    pub(crate) fn found_set_back(&mut self) -> Option<Head> {
        self.was_set_back.take()
    }

    /// Something was written over the connection.
    pub(crate) fn was_used(&mut self) {
        self.is_new = false;
    }

    /// Where it leads.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Gives the connection up: the next is a new one.
    pub(crate) fn forget(&mut self) {
        self.connection = None;
    }

    /// Ends in order.
    pub(crate) async fn end(self) {
        if let Some(connection) = self.connection {
            connection.close().await;
        }
    }
}

/// What would be a mistake at the start may be put right while the server runs.
fn passing(error: StoreError) -> StoreError {
    match error {
        StoreError::Mistake(text) => StoreError::Unavailable(text),
        other => other,
    }
}
