//! The writer's connection: made again where it broke, and never to another store than at the start.

use crate::StoreError;
use crate::db::{Connection, FileId, Mode, Place};
use crate::schema;

/// A connection that may be away.
pub(crate) struct Link {
    place: Place,
    /// Names the store.
    chain: String,
    /// The file that is open.
    file: Option<FileId>,
    connection: Option<Connection>,
}

impl Link {
    /// Opens a store to write: makes it where there is none, brings it forward where it is old.
    pub(crate) async fn open(place: &Place) -> Result<Self, StoreError> {
        let mut connection = place.connect(Mode::Create).await?;
        let known = schema::bring_forward(&mut connection).await?;
        Ok(Link {
            file: place.file_id(),
            place: place.clone(),
            chain: known.chain,
            connection: Some(connection),
        })
    }

    /// The connection; a new one where there is none.
    pub(crate) async fn connection(&mut self) -> Result<&mut Connection, StoreError> {
        // What is written to a file without a name is lost with the process.
        if self.place.file().is_some() && self.place.file_id() != self.file {
            self.connection = None;
        }
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.again().await?,
        };
        Ok(self.connection.insert(connection))
    }

    async fn again(&mut self) -> Result<Connection, StoreError> {
        let mut connection = self.place.connect(Mode::Write).await?;
        let file = self.place.file_id();
        let known = schema::look(&mut connection)
            .await
            .map_err(|error| match error {
                StoreError::Mistake(text) => StoreError::Unavailable(text),
                other => other,
            })?;
        if known.chain != self.chain {
            return Err(StoreError::Unavailable(
                "another store is where the store was at the start: put it back, or start the server anew".into(),
            ));
        }
        self.file = file;
        Ok(connection)
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
