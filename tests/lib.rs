//! Whole-product tests live beside this file, a folder a subject.
