use super::*;

/// A run that writes these files into `target`.
fn run(target: &Path, files: &[(&str, &str)]) -> Result<(), Failure> {
    let staged = Staged::begin("--out", "measure run", target)?;
    for (name, text) in files {
        std::fs::write(staged.folder().join(name), text).unwrap();
    }
    Manifest::default().write(staged.folder()).unwrap();
    staged.commit()
}

fn text(done: Result<(), Failure>) -> String {
    match done {
        Err(Failure::User(text)) => text,
        other => format!("{other:?}"),
    }
}

fn read(folder: &Path) -> Vec<String> {
    let mut names = names(folder).unwrap();
    names.retain(|n| n != LIST);
    names
}

#[test]
fn a_run_replaces_what_an_earlier_one_wrote() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("made/out");
    run(&out, &[("a", "1"), ("b", "2")]).unwrap();
    assert_eq!(read(&out), ["a", "b"]);
    run(&out, &[("a", "3")]).unwrap();
    assert_eq!(read(&out), ["a"]);
    // Nothing is left beside it.
    assert_eq!(names(&dir.path().join("made")).unwrap(), ["out"]);
    let list = listed(&out.join(LIST)).unwrap().unwrap().outputs;
    assert_eq!(list.get("a").unwrap().bytes, 1);
    assert_eq!(list.len(), 1);
    // An empty folder is as good as none.
    let empty = dir.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    run(&empty, &[("a", "1")]).unwrap();
    assert_eq!(read(&empty), ["a"]);
}

#[test]
fn what_is_not_ours_is_refused_and_stays() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    run(&out, &[("a", "1"), ("b", "2")]).unwrap();
    std::fs::write(out.join("notes.txt"), "mine").unwrap();
    let refused = text(run(&out, &[("a", "3")]));
    assert!(refused.contains("notes.txt is not of the run"), "{refused}");
    std::fs::remove_file(out.join("notes.txt")).unwrap();
    std::fs::write(out.join("b"), "edited").unwrap();
    let refused = text(run(&out, &[("a", "3")]));
    assert!(refused.contains("b was changed since"), "{refused}");
    assert_eq!(std::fs::read_to_string(out.join("a")).unwrap(), "1");
    // A link to the very same bytes is not what was written.
    std::fs::remove_file(out.join("b")).unwrap();
    std::fs::write(dir.path().join("two"), "2").unwrap();
    std::os::unix::fs::symlink(dir.path().join("two"), out.join("b")).unwrap();
    assert!(text(run(&out, &[("a", "3")])).contains("b was changed"));
    std::fs::remove_file(out.join("b")).unwrap();
    // One that is gone harms nobody.
    run(&out, &[("a", "3")]).unwrap();
    // Without a list everything is somebody else's; of many some are named.
    let other = dir.path().join("other");
    std::fs::create_dir(&other).unwrap();
    for n in 0..9 {
        std::fs::write(other.join(format!("f{n}")), "x").unwrap();
    }
    let refused = text(run(&other, &[]));
    assert!(refused.contains("f4 and 4 more already"), "{refused}");
    std::fs::write(other.join(LIST), "{\"no\": \"list\"}").unwrap();
    assert!(text(run(&other, &[])).contains("not the list of a run"));
    let file = dir.path().join("two");
    assert!(text(run(&file, &[])).contains("this is a file"));
    assert!(text(run(Path::new("/"), &[])).contains("--out /"));
    assert!(text(run(Path::new("."), &[])).contains("the one you are in"));
}

/// Somebody writes into the folder while a run that is to replace it is under way.
#[test]
fn a_file_that_comes_during_a_run_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    run(&out, &[("a", "1")]).unwrap();
    let staged = Staged::begin("--out", "measure run", &out).unwrap();
    std::fs::write(staged.folder().join("a"), "2").unwrap();
    std::fs::write(out.join("late"), "mine").unwrap();
    assert!(text(staged.commit()).contains("late"));
    assert_eq!(read(&out), ["a", "late"]);
    assert_eq!(std::fs::read_to_string(out.join("a")).unwrap(), "1");
    assert_eq!(names(dir.path()).unwrap(), ["out"]);
}

#[test]
fn what_a_killed_run_left_is_swept_and_a_living_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let dead = dir.path().join(".out.tmp-0123456789abcdef");
    let like = dir.path().join(".out.tmp-notes");
    let cut = dir.path().join(".out.tmp-00000000000000fe");
    for folder in [&dead, &cut, &like] {
        std::fs::create_dir(folder).unwrap();
        std::fs::write(folder.join("x"), "x").unwrap();
    }
    // Killed while it wrote its list.
    std::fs::write(cut.join(LIST), "{\n  \"engine\": \"tan").unwrap();
    let living = Staged::begin("--out", "measure run", &out).unwrap();
    run(&out, &[("a", "1")]).unwrap();
    assert!(!dead.exists() && !cut.exists() && like.exists() && living.folder().exists());
    // Both wrote: the one that ends last stands, whole.
    std::fs::write(living.folder().join("b"), "2").unwrap();
    Manifest::default().write(living.folder()).unwrap();
    living.commit().unwrap();
    assert_eq!(read(&out), ["b"]);
    // One that is given up leaves nothing.
    drop(Staged::begin("--out", "measure run", &out).unwrap());
    assert_eq!(names(dir.path()).unwrap(), [".out.tmp-notes", "out"]);
}

#[test]
fn links_are_followed_and_files_are_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (real, link) = (dir.path().join("real"), dir.path().join("link"));
    run(&real, &[("a", "1")]).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    run(&link, &[("a", "2")]).unwrap();
    assert!(link.is_symlink() && std::fs::read_to_string(real.join("a")).unwrap() == "2");
    let file = real.join("a");
    verify(&file).unwrap();
    std::fs::write(&file, "3").unwrap();
    assert!(text(verify(&file)).contains("is not what its run wrote"));
    write_file("--out", &file, b"4").unwrap();
    write_file("--out", Path::new("/dev/null"), b"5").unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "4");
    assert!(text(write_file("--out", &dir.path().join("no/x"), b"")).contains("--out"));
    let long = "x".repeat(200);
    run(&dir.path().join(&long), &[("a", "1")]).unwrap();
    assert_eq!(names(dir.path()).unwrap(), ["link", "real", &long]);
}

/// Two runs that replace one folder at once: the second is refused, and removes nothing of the first.
#[test]
fn a_folder_that_is_being_replaced_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    run(&out, &[("a", "1")]).unwrap();
    // Another run has it, and is about to put its own there.
    let held = File::open(&out).unwrap();
    held.try_lock().unwrap();
    assert!(text(run(&out, &[("a", "2")])).contains("another run is putting"));
    // It has: what was there stands aside, still locked.
    let aside = dir.path().join(".out.tmp-00000000000000ff");
    std::fs::rename(&out, &aside).unwrap();
    run(&out, &[("a", "3")]).unwrap();
    assert_eq!(read(&aside), ["a"]);
    drop(held);
    run(&out, &[("a", "4")]).unwrap();
    assert!(!aside.exists());
}

/// A run was killed after it had put its results in place: what it replaced is swept, but not with a file
/// that came into it in the last moment.
#[test]
fn what_came_in_the_last_moment_stays() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    run(&out, &[("a", "1")]).unwrap();
    let aside = dir.path().join(".out.tmp-00000000000000ff");
    std::fs::rename(&out, &aside).unwrap();
    std::fs::write(aside.join("notes.txt"), "mine").unwrap();
    run(&out, &[("a", "2")]).unwrap();
    assert_eq!(read(&aside), ["a", "notes.txt"]);
}
