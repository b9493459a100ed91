mod cases;
mod check;
mod entries;
mod generate;
mod import;
mod includes;
mod properties;
mod replaced;
