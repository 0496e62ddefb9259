"""Images of an archive that speaks DICOMweb: searched by QIDO-RS, fetched by WADO-RS into a folder."""
