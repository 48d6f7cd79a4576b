"""What a drawing is and what is known of it: ink, its raster, its label, its writer; drawings varied, and drawings made up."""
