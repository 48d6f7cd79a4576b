"""The look of the window: the palette and the one style sheet that are made from a set of colours."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from qtdigits.gui.widgets.colours import DARK, LIGHT, Theme


def choice_text(choice: str) -> str:
    """What a menu calls `light`, `dark` or the `system`'s colours."""
    return f"{choice.capitalize()} colours"


def theme_for(choice: str) -> Theme:
    """`light`, `dark`, or whatever the system has (`system`)."""
    if choice == "system":
        hints = QGuiApplication.styleHints()
        return DARK if hints.colorScheme() == Qt.ColorScheme.Dark else LIGHT
    return DARK if choice == "dark" else LIGHT


def palette_of(theme: Theme) -> QPalette:
    """The palette for what the style sheet leaves to the style."""
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: theme.background,
        QPalette.ColorRole.Base: theme.surface,
        QPalette.ColorRole.AlternateBase: theme.field,
        QPalette.ColorRole.Button: theme.surface,
        QPalette.ColorRole.ToolTipBase: theme.surface,
        QPalette.ColorRole.Text: theme.text,
        QPalette.ColorRole.WindowText: theme.text,
        QPalette.ColorRole.ButtonText: theme.text,
        QPalette.ColorRole.ToolTipText: theme.text,
        QPalette.ColorRole.PlaceholderText: theme.text_muted,
        QPalette.ColorRole.Highlight: theme.accent,
        QPalette.ColorRole.HighlightedText: theme.on_accent,
        QPalette.ColorRole.Link: theme.accent,
        QPalette.ColorRole.Accent: theme.accent,
    }
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText, QPalette.ColorRole.WindowText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.text_muted))
    return palette


def style_sheet_of(theme: Theme) -> str:
    """The style sheet of the whole application.

    Widgets say what they are by dynamic properties: `role` is heading, muted, error, warning or primary; `card` is true for a
    panel with a border.
    """
    t = theme
    return f"""
    QWidget {{ color: {t.text}; }}
    QMainWindow, QDialog, QMessageBox {{ background: {t.background}; }}
    QMenuBar {{ background: {t.background}; padding: 4px 14px 0 14px; }}
    QMenuBar::item {{ padding: 4px 10px; border-radius: 6px; background: transparent; color: {t.text_muted}; }}
    QMenuBar::item:selected {{ background: {t.border}; color: {t.text}; }}
    QMenu {{ background: {t.surface}; border: 1px solid {t.border}; padding: 4px; }}
    QMenu::item {{ padding: 5px 22px; border-radius: 4px; }}
    QMenu::item:selected {{ background: {t.accent}; color: {t.on_accent}; }}
    QMenu::item:disabled {{ color: {t.text_muted}; }}
    QMenu::separator {{ height: 1px; background: {t.border}; margin: 4px 8px; }}
    QStatusBar {{ background: {t.background}; color: {t.text_muted}; }}
    QStatusBar::item {{ border: none; }}
    QStatusBar QLabel {{ color: {t.text_muted}; padding: 2px 6px; }}
    QLabel {{ background: transparent; }}
    QLabel[role="muted"] {{ color: {t.text_muted}; }}
    QLabel[role="heading"] {{ font-weight: 600; }}
    QLabel[role="error"] {{ color: {t.error}; }}
    QLabel[role="warning"] {{ color: {t.warning}; }}
    QLabel[role="good"] {{ color: {t.good}; }}
    QStatusBar QLabel#accuracyLabel {{ color: {t.text}; font-weight: 600; }}
    QFrame[card="true"] {{ background: {t.surface}; border: 1px solid {t.border}; border-radius: 8px; }}
    QFrame#messageBar {{ background: {t.surface}; border: 1px solid {t.accent}; border-radius: 8px; }}
    QPushButton, QToolButton {{ background: {t.surface}; border: 1px solid {t.border}; border-radius: 6px; padding: 6px 12px; }}
    QPushButton:hover, QToolButton:hover {{ border-color: {t.accent}; }}
    QPushButton:pressed, QToolButton:pressed, QToolButton:checked {{ background: {t.field}; }}
    QPushButton:checked {{ background: {t.field}; color: {t.accent}; border-color: {t.accent}; }}
    QPushButton:focus, QToolButton:focus {{ border: 2px solid {t.accent}; padding: 5px 11px; }}
    QPushButton:disabled, QToolButton:disabled {{ color: {t.text_muted}; background: {t.background}; border-color: {t.border}; }}
    QPushButton[role="primary"] {{ background: {t.accent}; color: {t.on_accent}; border-color: {t.accent}; font-weight: 600; }}
    QPushButton[role="primary"]:focus {{ border-color: {t.text}; }}
    QPushButton[role="primary"]:disabled {{ background: {t.border}; color: {t.text_muted}; border-color: {t.border}; }}
    QToolButton[role="legend"] {{ background: transparent; border: 1px solid transparent; padding: 2px 5px; }}
    QToolButton[role="legend"]:hover {{ border-color: {t.border}; }}
    QToolButton[role="legend"]:focus {{ border: 2px solid {t.accent}; padding: 1px 4px; }}
    QToolButton[role="legend"]:checked {{ background: transparent; }}
    QToolButton[role="legend"]:!checked {{ color: {t.text_muted}; }}
    QToolButton[role="quiet"] {{ padding: 3px 22px 3px 10px; }}
    QToolButton[role="quiet"]:focus {{ padding: 2px 21px 2px 9px; }}
    QToolButton[role="view"] {{ padding: 0 5px; min-width: 16px; }}
    QToolButton[role="view"]:focus {{ padding: 0 4px; }}
    QFileDialog QToolButton {{ padding: 3px; }}
    QFileDialog QToolButton:focus {{ padding: 2px; }}
    QTabBar QToolButton {{ padding: 0; }}
    QToolButton::menu-indicator {{ subcontrol-position: right center; subcontrol-origin: padding; right: 7px; }}
    QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox {{ background: {t.field}; border: 1px solid {t.border}; border-radius: 6px;
        padding: 5px 8px; selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
    QInputDialog QSpinBox::up-button, QInputDialog QSpinBox::down-button {{ width: 0; border: none; }}
    QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
    QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus {{ border: 2px solid {t.accent}; padding: 4px 7px; }}
    QComboBox {{ padding-right: 22px; combobox-popup: 0; }}
    QComboBox::drop-down {{ border: none; width: 20px; }}
    QComboBox QAbstractItemView {{ background: {t.surface}; border: 1px solid {t.border}; outline: none;
        selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
    QComboBox QAbstractItemView::item, QInputDialog QListView::item {{ min-height: 24px; padding: 0 6px; }}
    QComboBox QAbstractItemView::item:selected, QInputDialog QListView::item:selected {{ background: {t.accent};
        color: {t.on_accent}; }}
    QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {t.border}; }}
    QSlider::sub-page:horizontal {{ border-radius: 2px; background: {t.accent}; }}
    QSlider::handle:horizontal {{ width: 12px; margin: -5px 0; border-radius: 7px; background: {t.surface};
        border: 1px solid {t.text_muted}; }}
    QSlider::handle:horizontal:focus {{ background: {t.accent}; border: 1px solid {t.text}; }}
    QTabWidget::pane {{ border: none; border-top: 1px solid {t.border}; }}
    QTabBar {{ background: transparent; }}
    QTabBar::tab {{ background: transparent; color: {t.text_muted}; padding: 10px 7px; border: none;
        border-bottom: 2px solid transparent; }}
    QTabBar::tab:selected {{ color: {t.text}; border-bottom: 2px solid {t.accent}; font-weight: 600; }}
    QTabBar::tab:hover {{ color: {t.text}; }}
    QTabBar::tab:focus {{ color: {t.accent}; }}
    QProgressBar {{ background: {t.border}; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }}
    QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
    QToolTip {{ background: {t.surface}; color: {t.text}; border: 1px solid {t.border}; padding: 4px; }}
    QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
    QTableView, QListView, QTreeView {{ background: {t.surface}; border: none; gridline-color: {t.grid}; outline: none;
        alternate-background-color: {t.field}; selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
    QTableView::item {{ padding: 0 5px; }}
    QHeaderView {{ background: {t.surface}; border: none; }}
    QHeaderView::section {{ background: {t.surface}; color: {t.text_muted}; border: none; border-bottom: 1px solid {t.border};
        padding: 6px 8px; }}
    QHeaderView::section:vertical {{ border: none; padding: 0 8px; }}
    QTableCornerButton::section {{ background: {t.surface}; border: none; border-bottom: 1px solid {t.border}; }}
    QFrame[rule="true"] {{ background: {t.border}; border: none; }}
    QSplitter::handle {{ background: transparent; }}
    QAbstractScrollArea::corner {{ background: transparent; border: none; }}
    QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
    QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
    QScrollBar::handle {{ background: {t.border}; border-radius: 5px; min-height: 24px; min-width: 24px; }}
    QScrollBar::handle:disabled {{ background: transparent; }}
    QScrollBar::handle:hover {{ background: {t.text_muted}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    """


def dress_application(theme: Theme) -> None:
    """Best when all widgets are there but not shown yet: while there is a style sheet, each step of a layout costs."""
    app = QApplication.instance()
    if isinstance(app, QApplication):
        app.setPalette(palette_of(theme))
        app.setStyleSheet(style_sheet_of(theme))
