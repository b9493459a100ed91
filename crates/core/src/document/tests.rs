mod cases;
mod check;
mod generate;
mod import;
mod properties;
