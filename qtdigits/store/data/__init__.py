"""Files that others bring or take: ink, images, arrays, CSV pairs, MNIST."""
