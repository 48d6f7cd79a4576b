"""How strongly drawings are varied while a network is trained, as values; `core.drawing.augmentation` does it.

Apart from it, so that recipes can be read and checked without numpy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Augmentation:
    """How strongly drawings are varied. Every setting is 0 where that deformation is off.

    A value drawn for each drawing is uniform from minus to plus its setting, unless said otherwise.
    """

    strength: float = 1.0
    """Multiplies all the others but `pixels` and `elastic_smoothness_px`; 0: nothing is changed."""
    pixels: float = 1.0
    """Multiplies them once more where there are only pixels, which suffer from being resampled."""
    rotation_deg: float = 12.0
    shear: float = 0.25
    """Slant: the tangent of its angle."""
    scale: float = 0.15
    """Size, along x and y by themselves: the natural logarithm of the factor."""
    shift_px: float = 1.0
    """Pixels only: ink is centred by the raster anyway."""
    elastic_px: float = 0.6
    """Standard deviation of the elastic field, along each axis (Simard, Steinkraus, Platt 2003). Pixels only."""
    elastic_smoothness_px: float = 4.0
    """Standard deviation of the Gaussian that smooths the elastic field; above 0."""
    thickness: float = 0.5
    """How far pixels go towards the image with its strokes grown (or, below 0, shrunk) by a pixel on every side."""
    warp: float = 0.03
    """Ink only: a smooth bend, as a part of the drawing's size."""
    jitter: float = 0.012
    """Ink only: unsteadiness of single points, as a part of the drawing's size; from 0 to the setting."""
    stroke_shift: float = 0.03
    """Ink only: each stroke moves by itself, as a part of the drawing's size."""
    dropping: float = 0.6
    """Ink only: part of the points that a slow device loses; from 0 to the setting. The ends of strokes stay."""
    pen: float = 0.6
    """Ink only: the pen's width, as the natural logarithm of the factor."""

    @property
    def is_off(self) -> bool:
        return self.strength <= 0.0

    @property
    def moves_pixels(self) -> bool:
        """Whether drawings that are pixels only are varied at all; the other settings need ink."""
        return max(self.rotation_deg, self.shear, self.scale, self.shift_px, self.elastic_px) > 0.0

    def scaled(self) -> Augmentation:
        """The same with `strength` multiplied into the settings, and itself 1."""
        s = self.strength
        return replace(
            self,
            strength=1.0,
            rotation_deg=self.rotation_deg * s,
            shear=self.shear * s,
            scale=self.scale * s,
            shift_px=self.shift_px * s,
            elastic_px=self.elastic_px * s,
            thickness=min(self.thickness * s, 1.0),
            warp=self.warp * s,
            jitter=self.jitter * s,
            stroke_shift=self.stroke_shift * s,
            dropping=min(self.dropping * s, 1.0),
            pen=self.pen * s,
        )
