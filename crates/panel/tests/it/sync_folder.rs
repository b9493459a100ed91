//! File systems that cannot make a folder durable, such as CIFS and many in user space.

use std::path::PathBuf;
use std::process::Command;

use rstest::rstest;

use crate::cli_support::{Panel, Place};

const SHIM: &str = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int fsync(int fd) {
    struct stat status;
    if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
        errno = ANSWER;
        return -1;
    }
    return syscall(SYS_fsync, fd);
}
"#;

/// A library that has fsync of a folder answer so, to be loaded before the system's.
fn shim(place: &Place, answer: &str) -> PathBuf {
    let (source, library) = (place.path("shim.c"), place.path("shim.so"));
    std::fs::write(&source, SHIM).unwrap();
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC"]).arg(format!("-DANSWER={answer}")).arg("-o").arg(&library).arg(&source);
    assert!(cc.status().unwrap().success());
    library
}

#[rstest]
#[case("EINVAL")]
#[case("EOPNOTSUPP")]
#[case("ENOSYS")]
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_made_durable_fails_no_write_of_the_file_no_backup_and_no_restore(
    #[case] answer: &str,
) {
    let mut place = Place::new();
    let shim = shim(&place, answer);
    place.run(&["admin", "create", "root", "--sudo"]).ok();
    place.set("LD_PRELOAD", shim.to_str().unwrap());
    place.run(&["backup", "copy.db"]).ok();
    place.run(&["restore", "copy.db"]).ok();
    place.set("SECRET_KEY", crate::common::KEY);
    let panel = Panel::start(&mut place);
    let ready = format!("http://{}/health/ready", panel.address);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    crate::common::eventually("the file", async || {
        let body: serde_json::Value = client.get(&ready).send().await.unwrap().json().await.unwrap();
        body["config_sync"] == true
    })
    .await;
    let log = panel.end();
    assert!(!log.contains("durable"), "{log}");
}

#[tokio::test]
async fn a_folder_whose_disk_fails_is_still_told_of() {
    let mut place = Place::new();
    let shim = shim(&place, "EIO");
    place.run(&["admin", "create", "root", "--sudo"]).ok();
    place.set("LD_PRELOAD", shim.to_str().unwrap());
    let failed = place.run(&["backup", "copy.db"]).failed();
    assert!(failed.contains("Input/output error"), "{failed}");
}
