-- Names of groups compare as labels. Their keys are written when the file is opened, as all keys that were folded by other rules.
UPDATE mark SET text_case = 'label'
    WHERE kind = 'Group' AND extension = '' AND name = 'displayName' AND sub = '' AND text_case = 'folded';
UPDATE unique_key SET text_case = 'label'
    WHERE kind = 'Group' AND attribute = 'displayName' AND text_case = 'folded';
